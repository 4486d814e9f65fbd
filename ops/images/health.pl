#!/usr/bin/perl
# Health check of the images: asks for a page and looks at its status. Perl, because Debian's smallest image has it and no HTTP client.
#   health 8787 /health      a port of this container: 200 to 399
#   health /run/…/socket     a unix socket: any answer
use strict;
use warnings;
use IO::Socket::INET;
use IO::Socket::UNIX;

my ($where, $path) = (@ARGV, '/');
alarm 3;
my $socket = $where =~ m{^/}
  ? IO::Socket::UNIX->new(Peer => $where)
  : IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $where);
die "$where: $!\n" unless $socket;
print $socket "GET $path HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
my $status = <$socket> // '';
my ($code) = $status =~ m{^HTTP/1\.1 (\d{3})};
die "$where answers nothing\n" unless $code;
die "$where$path: $status" unless $where =~ m{^/} || ($code >= 200 && $code < 400);
