#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What fuzz.c starts from: corpus.sh FIXTURES CORPUS
set -e
fixtures=$1
corpus=$2
mkdir -p "$corpus"

add() { # NAME KIND < content
	{ printf %s "$2"; cat; } > "$corpus/$1"
}

for file in "$fixtures"/inline* "$fixtures"/cxx "$fixtures"/rust "$fixtures"/*.so \
	"$fixtures"/kernel "$fixtures"/i386; do
	case $file in *.debug) continue ;; esac
	if [ -f "$file" ]; then
		add "elf-${file##*/}" E < "$file"
	fi
done
head -50 /proc/kallsyms | add kallsyms-real K
printf 'ffffffff81000110 T f\nffffffffc003e9c8 t bpf_prog_30304e82b4033ea3_x\t[bpf]\n' |
	add kallsyms K
printf '7f10 10 one\n7f18 20 two words\n' | add perf-map P
add maps M < /proc/self/maps
printf '_ZNK11outer_space5inner5shape4areaEPKcm' | add cxx D
printf '_RINvNtC3std2fs4readReEC3foo' | add rust D
printf '_ZN45_$LT$foo..Bar$u20$as$u20$core..fmt..Debug$GT$3fmt17h0123456789abcdefE' | add rust-old D
