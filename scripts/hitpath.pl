#!/usr/bin/env perl
# SPDX-License-Identifier: BSD-2-Clause
# Role: counts the instructions of a hit of malloc and free, and of an object cache's alloc and free, in a built
#       libslabkit-malloc.so (x86-64) and compares them with a table: as good, or better.
# Why: from the disassembly, because single-stepping aborts restartable sections. A hit is a way from the entry to
#       a ret that goes through the commit of a restartable section and meets no call and no push. All such ways
#       are walked; the table holds the shortest and the longest.
#
#   hitpath.pl LIBRARY COMPILER TABLE            compare
#   hitpath.pl --update LIBRARY COMPILER TABLE   rewrite the rows of COMPILER
#   hitpath.pl --show LIBRARY COMPILER TABLE     print the longest hits besides
#
# A table row:  compiler function shortest branches longest branches
# Branches are conditional ones. A compiler without rows is held to those of `any`.
use strict;
use warnings;

my $mode = 'compare';
$mode = substr(shift @ARGV, 2) if @ARGV && $ARGV[0] =~ /^--(update|show)$/;
die "usage: $0 [--update|--show] LIBRARY COMPILER TABLE\n" if @ARGV != 3;
my ($library, $compiler, $table) = @ARGV;
my $LONGEST_WALK = 100;
my @FUNCTIONS = qw(malloc free kmem_cache_alloc kmem_cache_free kmalloc kfree);

sub lines_of {
    open my $pipe, '-|', @_ or die "$0: $_[0]: $!\n";
    my @lines = <$pipe>;
    close $pipe or die "$0: $_[0] failed\n";
    return @lines;
}

# address => [text, address of the next instruction]
sub disassemble {
    my %code;
    my $previous;
    for (lines_of('objdump', '-d', '--no-show-raw-insn', '-w', $library)) {
        if (/^Disassembly/) {
            undef $previous;
        } elsif (/^\s*([0-9a-f]+):\s+(\S.*?)\s*$/) {
            my $address = hex $1;
            $code{$address} = [$2, undef];
            $code{$previous}[1] = $address if defined $previous;
            $previous = $address;
        }
    }
    return \%code;
}

sub entries {
    my %entry;
    for (lines_of('nm', '-D', '--defined-only', $library)) {
        $entry{$2} = hex $1 if /^([0-9a-f]+) \w (\w+)(@|$)/;
    }
    for my $name (@FUNCTIONS) {
        die "$library: no $name\n" unless defined $entry{$name};
    }
    return \%entry;
}

# Addresses just behind a section's last instruction, from the descriptors in __rseq_cs: {u32 version, u32 flags,
# u64 start, u64 length, u64 abort}, where start is relocated.
sub commit_ends {
    my ($section) = grep { $_ } map {
        /\s__rseq_cs\s+\S+\s+([0-9a-f]+)\s+([0-9a-f]+)\s+([0-9a-f]+)/ ? [hex $1, hex $2, hex $3] : undef
    } lines_of('readelf', '-SW', $library);
    die "$library: no section __rseq_cs\n" unless $section;
    my ($address, $offset, $bytes) = @$section;

    my %start;
    for (lines_of('readelf', '-rW', $library)) {
        $start{hex $1} = hex $2 if /^([0-9a-f]+)\s+\S+\s+R_X86_64_RELATIVE\s+([0-9a-f]+)/;
    }
    open my $file, '<:raw', $library or die "$library: $!\n";
    seek $file, $offset, 0 or die "$library: $!\n";
    read($file, my $raw, $bytes) == $bytes or die "$library: truncated\n";

    my %ends;
    for (my $i = 0; $i + 32 <= $bytes; $i += 32) {
        my $length = unpack 'Q<', substr $raw, $i + 16, 8;
        my $begin = $start{$address + $i + 8};
        die "$library: descriptor without relocation\n" unless defined $begin;
        $ends{$begin + $length} = 1;
    }
    return \%ends;
}

# All hits from $entry: a list of [instructions, conditional branches, [texts]].
sub hits {
    my ($code, $ends, $entry) = @_;
    my @found;
    my @todo = ({ at => $entry, path => [], seen => {}, branches => 0, committed => 0 });
    while (my $w = pop @todo) {
        my $insn = $code->{ $w->{at} } or next;
        next if $w->{seen}{ $w->{at} } || @{ $w->{path} } >= $LONGEST_WALK;
        my ($text, $next) = @$insn;
        (my $bare = $text) =~ s/^(?:(?:notrack|bnd|data16|cs|ds|repz|rep|lock)\s+)*//;
        next if $bare =~ /^(call|push|enter|ud2|hlt|int3)/;

        my %after = (
            path => [@{ $w->{path} }, sprintf '%6x  %s', $w->{at}, $text],
            seen => { %{ $w->{seen} }, $w->{at} => 1 },
            branches => $w->{branches},
            committed => $w->{committed} || (defined $next && $ends->{$next}),
        );
        if ($bare =~ /^ret/) {
            push @found, [scalar @{ $after{path} }, $after{branches}, $after{path}] if $after{committed};
        } elsif ($bare =~ /^jmpq?\s+([0-9a-f]+)\b/) {
            push @todo, { %after, at => hex $1 };
        } elsif ($bare =~ /^jmp/) {
            next;
        } elsif ($bare =~ /^j\w+\s+([0-9a-f]+)\b/) {
            $after{branches}++;
            push @todo, { %after, at => hex $1 };
            push @todo, { %after, at => $next } if defined $next;
        } elsif (defined $next) {
            push @todo, { %after, at => $next };
        }
    }
    return sort { $a->[0] <=> $b->[0] || $a->[1] <=> $b->[1] } @found;
}

sub read_table {
    open my $file, '<', $table or die "$table: $!\n";
    my @lines = <$file>;
    my %row;
    for (@lines) {
        next if /^\s*(#|$)/;
        my ($who, $function, @limits) = split;
        die "$table: malformed: $_" unless @limits == 4;
        $row{$who}{$function} = \@limits;
    }
    return (\@lines, \%row);
}

my ($code, $entry, $ends) = (disassemble(), entries(), commit_ends());
my %now;
for my $function (@FUNCTIONS) {
    my @hits = hits($code, $ends, $entry->{$function});
    die "$library: $function: no way to a ret through a commit without call and push\n" unless @hits;
    my ($shortest, $longest) = @hits[0, -1];
    my ($branches) = sort { $b <=> $a } map { $_->[1] } @hits;
    $now{$function} = [$shortest->[0], $shortest->[1], $longest->[0], $branches];
    print "$function:\n", map("  $_\n", @{ $longest->[2] }) if $mode eq 'show';
    printf "%-9s %-16s shortest %d instructions, %d branches; longest %d, %d; %d ways\n", $compiler, $function,
        @{ $now{$function} }, scalar @hits;
}

my ($lines, $row) = read_table();
if ($mode eq 'update') {
    my @rows = map { join(' ', $compiler, $_, @{ $now{$_} }) . "\n" } @FUNCTIONS;
    open my $file, '>', $table or die "$table: $!\n";
    print {$file} grep({ !/^\Q$compiler\E\s/ } @$lines), @rows;
    close $file or die "$table: $!\n";
    exit 0;
}

my $limits = $row->{$compiler} || $row->{any} or die "$table: no row for $compiler, none for any\n";
my $bad = 0;
for my $function (@FUNCTIONS) {
    my $limit = $limits->{$function} or die "$table: no row for $function\n";
    for my $i (0 .. 3) {
        next if $now{$function}[$i] <= $limit->[$i];
        my $what = ('shortest', 'branches of the shortest', 'longest', 'branches of the longest')[$i];
        print "$compiler $function: $what: $now{$function}[$i], the table allows $limit->[$i]\n";
        $bad = 1;
    }
}
exit $bad;
