/** Made by web/vite-emoji.ts: emoji, its name, further words for it parted by |, its group in Unicode's numbering. */
declare module "virtual:emoji/*" {
  const names: readonly (readonly [emoji: string, name: string, words: string, group: number])[];
  export default names;
}
