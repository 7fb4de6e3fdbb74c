//go:build !purego

#include "textflag.h"

// The default secret of XXH3.
DATA secret<>+0x00(SB)/8, $0xbe4ba423396cfeb8
DATA secret<>+0x08(SB)/8, $0x1cad21f72c81017c
DATA secret<>+0x10(SB)/8, $0xdb979083e96dd4de
DATA secret<>+0x18(SB)/8, $0x1f67b3b7a4a44072
DATA secret<>+0x20(SB)/8, $0x78e5c0cc4ee679cb
DATA secret<>+0x28(SB)/8, $0x2172ffcc7dd05a82
DATA secret<>+0x30(SB)/8, $0x8e2443f7744608b8
DATA secret<>+0x38(SB)/8, $0x4c263a81e69035e0
DATA secret<>+0x40(SB)/8, $0xcb00c391bb52283c
DATA secret<>+0x48(SB)/8, $0xa32e531b8b65d088
DATA secret<>+0x50(SB)/8, $0x4ef90da297486471
DATA secret<>+0x58(SB)/8, $0xd8acdea946ef1938
DATA secret<>+0x60(SB)/8, $0x3f349ce33f76faa8
DATA secret<>+0x68(SB)/8, $0x1d4f0bc7c7bbdcf9
DATA secret<>+0x70(SB)/8, $0x3159b4cd4be0518a
DATA secret<>+0x78(SB)/8, $0x647378d9c97e9fc8
DATA secret<>+0x80(SB)/8, $0xc3ebd33483acc5ea
DATA secret<>+0x88(SB)/8, $0xeb6313faffa081c5
DATA secret<>+0x90(SB)/8, $0x49daf0b751dd0d17
DATA secret<>+0x98(SB)/8, $0x9e68d429265516d3
DATA secret<>+0xa0(SB)/8, $0xfca1477d58be162b
DATA secret<>+0xa8(SB)/8, $0xce31d07ad1b8f88f
DATA secret<>+0xb0(SB)/8, $0x280416958f3acb45
DATA secret<>+0xb8(SB)/8, $0x7e404bbbcafbd7af
GLOBL secret<>(SB), RODATA|NOPTR, $192

DATA primes<>+0(SB)/8, $0x9e3779b185ebca87  // of XXH64, 1
DATA primes<>+8(SB)/8, $0xc2b2ae3d27d4eb4f  // of XXH64, 2
DATA primes<>+16(SB)/8, $0x000000009e3779b1 // of XXH3
GLOBL primes<>(SB), RODATA|NOPTR, $24

// One round of XXH64 on a lane.
#define ROUND(offset, lane) \
	MOVQ  offset(SI), R12 \
	IMULQ R14, R12        \
	ADDQ  R12, lane       \
	ROLQ  $31, lane       \
	IMULQ R13, lane

// Half a stripe of XXH3, 32 bytes, into acc.
#define HALF(offset, key, acc) \
	VMOVDQU  offset(SI), Y4  \
	VPXOR    key(DX), Y4, Y5 \
	VPSHUFD  $0x31, Y5, Y6   \
	VPMULUDQ Y5, Y6, Y5      \
	VPSHUFD  $0x4e, Y4, Y4   \
	VPADDQ   Y4, acc, acc    \
	VPADDQ   Y5, acc, acc

// 64 bytes: two rounds of the four lanes, and a stripe with the secret from key on.
#define STRIPE(offset, key) \
	HALF(offset, key, Y0)       \
	ROUND(offset, R8)           \
	ROUND(offset+8, R9)         \
	ROUND(offset+16, R10)       \
	ROUND(offset+24, R11)       \
	HALF(offset+32, key+32, Y1) \
	ROUND(offset+32, R8)        \
	ROUND(offset+40, R9)        \
	ROUND(offset+48, R10)       \
	ROUND(offset+56, R11)

#define SCRAMBLE(key, acc) \
	VPSRLQ   $47, acc, Y4    \
	VPXOR    acc, Y4, Y4     \
	VPXOR    key(DX), Y4, Y4 \
	VPSRLQ   $32, Y4, Y5     \
	VPMULUDQ Y3, Y4, Y4      \
	VPMULUDQ Y3, Y5, Y5      \
	VPSLLQ   $32, Y5, Y5     \
	VPADDQ   Y4, Y5, acc

// func sumAVX2(block *byte, n int, lanes *[4]uint64, stripes *[8]uint64)
TEXT ·sumAVX2(SB), NOSPLIT, $0-32
	MOVQ block+0(FP), SI
	MOVQ n+8(FP), CX
	MOVQ lanes+16(FP), DI
	MOVQ stripes+24(FP), BX
	LEAQ secret<>(SB), DX
	MOVQ primes<>+0(SB), R13
	MOVQ primes<>+8(SB), R14
	VPBROADCASTQ primes<>+16(SB), Y3
	MOVQ    0(DI), R8
	MOVQ    8(DI), R9
	MOVQ    16(DI), R10
	MOVQ    24(DI), R11
	VMOVDQU 0(BX), Y0
	VMOVDQU 32(BX), Y1

avx2:
	STRIPE(0, 0)
	STRIPE(64, 8)
	STRIPE(128, 16)
	STRIPE(192, 24)
	STRIPE(256, 32)
	STRIPE(320, 40)
	STRIPE(384, 48)
	STRIPE(448, 56)
	STRIPE(512, 64)
	STRIPE(576, 72)
	STRIPE(640, 80)
	STRIPE(704, 88)
	STRIPE(768, 96)
	STRIPE(832, 104)
	STRIPE(896, 112)
	DECQ CX
	JZ   avx2last
	STRIPE(960, 120)
	SCRAMBLE(128, Y0)
	SCRAMBLE(160, Y1)
	ADDQ $1024, SI
	JMP  avx2

avx2last: // the last stripe has a key of its own, and nothing is scrambled after it
	STRIPE(960, 121)
	MOVQ    R8, 0(DI)
	MOVQ    R9, 8(DI)
	MOVQ    R10, 16(DI)
	MOVQ    R11, 24(DI)
	VMOVDQU Y0, 0(BX)
	VMOVDQU Y1, 32(BX)
	VZEROUPPER
	RET

// STRIPE with vectors of 64 bytes: XXH3 in Z0, the lanes of XXH64 in Y1.
#define WIDE(offset, key) \
	VMOVDQU64     offset(SI), Z4 \
	VPXORQ        key, Z4, Z5    \
	VPSHUFD       $0x31, Z5, Z6  \
	VPMULUDQ      Z5, Z6, Z5     \
	VPSHUFD       $0x4e, Z4, Z7  \
	VPADDQ        Z7, Z0, Z0     \
	VPADDQ        Z5, Z0, Z0     \
	VPMULLQ       Z30, Z4, Z4    \
	VEXTRACTI64X4 $1, Z4, Y6     \
	VPADDQ        Y4, Y1, Y1     \
	VPROLQ        $31, Y1, Y1    \
	VPMULLQ       Y29, Y1, Y1    \
	VPADDQ        Y6, Y1, Y1     \
	VPROLQ        $31, Y1, Y1    \
	VPMULLQ       Y29, Y1, Y1

// func sumAVX512(block *byte, n int, lanes *[4]uint64, stripes *[8]uint64)
TEXT ·sumAVX512(SB), NOSPLIT, $0-32
	MOVQ block+0(FP), SI
	MOVQ n+8(FP), CX
	MOVQ lanes+16(FP), DI
	MOVQ stripes+24(FP), BX
	LEAQ secret<>(SB), DX
	VPBROADCASTQ primes<>+0(SB), Y29
	VPBROADCASTQ primes<>+8(SB), Z30
	VPBROADCASTQ primes<>+16(SB), Z31
	VMOVDQU   0(DI), Y1
	VMOVDQU64 0(BX), Z0
	VMOVDQU64 0(DX), Z10
	VMOVDQU64 8(DX), Z11
	VMOVDQU64 16(DX), Z12
	VMOVDQU64 24(DX), Z13
	VMOVDQU64 32(DX), Z14
	VMOVDQU64 40(DX), Z15
	VMOVDQU64 48(DX), Z16
	VMOVDQU64 56(DX), Z17
	VMOVDQU64 64(DX), Z18
	VMOVDQU64 72(DX), Z19
	VMOVDQU64 80(DX), Z20
	VMOVDQU64 88(DX), Z21
	VMOVDQU64 96(DX), Z22
	VMOVDQU64 104(DX), Z23
	VMOVDQU64 112(DX), Z24
	VMOVDQU64 120(DX), Z25
	VMOVDQU64 128(DX), Z26

avx512:
	WIDE(0, Z10)
	WIDE(64, Z11)
	WIDE(128, Z12)
	WIDE(192, Z13)
	WIDE(256, Z14)
	WIDE(320, Z15)
	WIDE(384, Z16)
	WIDE(448, Z17)
	WIDE(512, Z18)
	WIDE(576, Z19)
	WIDE(640, Z20)
	WIDE(704, Z21)
	WIDE(768, Z22)
	WIDE(832, Z23)
	WIDE(896, Z24)
	DECQ CX
	JZ   avx512last
	WIDE(960, Z25)
	VPSRLQ   $47, Z0, Z4
	VPXORQ   Z0, Z4, Z4
	VPXORQ   Z26, Z4, Z4
	VPMULLQ  Z31, Z4, Z0
	ADDQ     $1024, SI
	JMP      avx512

avx512last:
	VMOVDQU64 121(DX), Z25
	WIDE(960, Z25)
	VMOVDQU   Y1, 0(DI)
	VMOVDQU64 Z0, 0(BX)
	VZEROUPPER
	RET
