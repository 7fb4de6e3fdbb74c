//go:build !purego

#include "textflag.h"

// Y0 has lanes 0 to 3 and Y1 lanes 4 to 7, and each is added to in the order of
// addLanes and multiplyLanes: products are rounded first (no FMA).

// func addAVX(x *float64, n int, s *[8]float64)
TEXT ·addAVX(SB), NOSPLIT, $0-24
	MOVQ   x+0(FP), SI
	MOVQ   n+8(FP), CX
	MOVQ   s+16(FP), DI
	VXORPD Y0, Y0, Y0
	VXORPD Y1, Y1, Y1

add:
	VMOVUPD (SI), Y2
	VMOVUPD 32(SI), Y3
	VADDPD  64(SI), Y2, Y2
	VADDPD  96(SI), Y3, Y3
	VADDPD  Y2, Y0, Y0
	VADDPD  Y3, Y1, Y1
	ADDQ    $128, SI
	SUBQ    $16, CX
	JG      add
	VMOVUPD Y0, (DI)
	VMOVUPD Y1, 32(DI)
	VZEROUPPER
	RET

// func multiplyAVX(x, y *float64, n int, s *[8]float64)
TEXT ·multiplyAVX(SB), NOSPLIT, $0-32
	MOVQ   x+0(FP), SI
	MOVQ   y+8(FP), DX
	MOVQ   n+16(FP), CX
	MOVQ   s+24(FP), DI
	VXORPD Y0, Y0, Y0
	VXORPD Y1, Y1, Y1

multiply:
	VMOVUPD (SI), Y2
	VMOVUPD 32(SI), Y3
	VMULPD  (DX), Y2, Y2
	VMULPD  32(DX), Y3, Y3
	VADDPD  Y2, Y0, Y0
	VADDPD  Y3, Y1, Y1
	ADDQ    $64, SI
	ADDQ    $64, DX
	SUBQ    $8, CX
	JG      multiply
	VMOVUPD Y0, (DI)
	VMOVUPD Y1, 32(DI)
	VZEROUPPER
	RET
