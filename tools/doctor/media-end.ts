import {
  IceCandidate,
  RTCDtlsFingerprint,
  RTCDtlsParameters,
  RTCDtlsTransport,
  RTCIceGatherer,
  RTCIceParameters,
  RTCIceTransport,
  type RtcpPacket,
  RtpHeader,
  type RtpPacket,
} from "werift";

/** How one end of a WebRTC connection is reached, and known again. */
export interface EndDescription {
  readonly usernameFragment: string;
  readonly password: string;
  /** Whether it answers checks only. */
  readonly iceLite: boolean;
  /** SHA-256 of its certificate, as in SDP. */
  readonly fingerprint: string;
  readonly ip: string;
  readonly port: number;
}

/** AEAD_AES_128_GCM: of the protection profiles that browsers prefer (RFC 7714), the one that werift has. */
const srtpProfile = 7;

const patienceMs = 20_000;

async function inTime(step: Promise<void>, name: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} does not come through in ${patienceMs} ms`)), patienceMs);
  });
  await Promise.race([step, late]).finally(() => clearTimeout(timer));
}

/** One end of a WebRTC connection: ICE, DTLS as its client, and SRTP, by werift; without SDP, tracks and jitter buffers. */
export class MediaEnd {
  readonly #ice: RTCIceTransport;
  readonly #dtls: RTCDtlsTransport;

  private constructor(ice: RTCIceTransport, dtls: RTCDtlsTransport) {
    this.#ice = ice;
    this.#dtls = dtls;
  }

  /** Opens a socket on `ip`, and no other. */
  static async open(ip: string): Promise<MediaEnd> {
    const ice = new RTCIceTransport(
      new RTCIceGatherer({
        useIpv4: false,
        useIpv6: false,
        useTcp: false,
        additionalHostAddresses: [ip],
        interfaceAddresses: { udp4: ip },
      }),
    );
    await ice.gather();
    const certificate = await RTCDtlsTransport.SetupCertificate();
    return new MediaEnd(ice, new RTCDtlsTransport({}, ice, certificate, [srtpProfile]));
  }

  get local(): EndDescription {
    const { usernameFragment, password } = this.#ice.localParameters;
    const [candidate] = this.#ice.localCandidates;
    const [fingerprint] = this.#dtls.localParameters.fingerprints;
    if (candidate === undefined || fingerprint === undefined) throw new Error("an end without address or certificate");
    return {
      usernameFragment,
      password,
      iceLite: false,
      fingerprint: fingerprint.value,
      ip: candidate.ip,
      port: candidate.port,
    };
  }

  /** Lets ICE (this end decides) and DTLS come through. */
  async connect(remote: EndDescription): Promise<void> {
    this.#ice.setRemoteParams(new RTCIceParameters(remote));
    this.#ice.connection.iceControlling = true;
    await this.#ice.addRemoteCandidate(new IceCandidate(1, "1", remote.ip, remote.port, 2_113_937_151, "udp", "host"));
    await this.#ice.addRemoteCandidate(undefined);
    this.#dtls.role = "client";
    this.#dtls.setRemoteParams(
      new RTCDtlsParameters([new RTCDtlsFingerprint("sha-256", remote.fingerprint)], "server"),
    );
    await inTime(this.#ice.start(), "ICE");
    await inTime(this.#dtls.start(), "DTLS");
  }

  /** False from the moment on in which either side has given up. */
  get isConnected(): boolean {
    const { state } = this.#ice;
    return (state === "connected" || state === "completed") && this.#dtls.state === "connected";
  }

  onRtp(listener: (packet: RtpPacket) => void): void {
    this.#dtls.onRtp.subscribe(listener);
  }

  onRtcp(listener: (packet: RtcpPacket) => void): void {
    this.#dtls.onRtcp.subscribe(listener);
  }

  sendRtp(header: Partial<RtpHeader>, payload: Buffer): void {
    void this.#dtls.sendRtp(payload, new RtpHeader(header));
  }

  sendRtcp(packets: RtcpPacket[]): void {
    void this.#dtls.sendRtcp(packets);
  }

  async close(): Promise<void> {
    await this.#dtls.stop();
  }
}
