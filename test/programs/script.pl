# SPDX-License-Identifier: BSD-2-Clause
# Role: perl at work: hashes of arrays, strings that grow, regular expressions, sorting, a child process.
use strict;
use warnings;

my (%index, $state);
$state = 1;
for my $i (1 .. 20000) {
    $state = ($state * 1103515245 + 12345) % 2147483648;
    my $word = join '', map { chr(97 + ($state >> $_) % 26) } 3 .. 3 + $state % 20;
    push @{ $index{$word} }, $i;
}
my $text = '';
for my $word (sort keys %index) {
    $text .= "$word: @{ $index{$word} }\n";
}
(my $rewritten = $text) =~ s/([aeiou])(\w)/\U$2$1/g;
my %letters;
$letters{$_}++ for $rewritten =~ /[A-Z]/g;
print length($text), ' ', length($rewritten), "\n";
print "$_ $letters{$_}\n" for sort keys %letters;
print substr($rewritten, 0, 2000), "\n";

my $pid = open(my $child, '-|') // die "fork: $!";
if (!$pid) {
    my %copy = map { $_ => scalar @{ $index{$_} } } keys %index;
    print scalar(keys %copy), " words in the child\n";
    exit 0;
}
print <$child>;
close $child or die "child: $?";
