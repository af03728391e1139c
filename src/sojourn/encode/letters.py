"""Letters of names to A-Z, as ICAO Doc 9303-3 recommends (section 6; facts of the standard).

Each row: the A-Z letters, then the code points that are written with them. Where the standard
leaves a choice (AE or A for A with diaeresis), the first is taken. National exceptions that need
the nationality are not made: the default column of the Cyrillic table is taken. Marks that the
standard does not encode map to nothing.
"""

from __future__ import annotations

LATIN = """
A 00C0 00C1 00C2 00C3 0100 0102 0104
AA 00C5
AE 00C4 00C6
C 00C7 0106 0108 010A 010C
D 00D0 010E 0110
E 00C8 00C9 00CA 00CB 0112 0114 0116 0118 011A
G 011C 011E 0120 0122
H 0124 0126
I 00CC 00CD 00CE 00CF 0128 012A 012C 012E 0130 0131
IJ 0132
J 0134
K 0136
L 0139 013B 013D 013F 0141
N 00D1 0143 0145 0147 014A
O 00D2 00D3 00D4 00D5 014C 014E 0150
OE 00D6 00D8 0152
R 0154 0156 0158
S 015A 015C 015E 0160
SS 1E9E 00DF
T 0162 0164 0166
TH 00DE
U 00D9 00DA 00DB 0168 016A 016C 016E 0170 0172
UE 00DC
W 0174
Y 00DD 0176 0178
Z 0179 017B 017D
"""
CYRILLIC = """
A 0410
B 0411
C 04BA
CH 0427
D 0402 0414
DZ 0405 040F
E 0401 0415 042D
F 0424
G 0413 0490 0492
I 0406 0407 0418 0419
IA 042F
IE 0404 042A
IU 042E
J 0408
K 040C 041A
KH 0425
L 041B
LJ 0409
M 041C
N 041D
NJ 040A
O 041E
P 041F
R 0420
S 0421
SH 0428
SHCH 0429
T 0422
TS 0426
U 040E 0423 046A
V 0412
Y 042B 0474
Z 0417
ZH 0416
"""
ARABIC = """
- 0640 064B 064C 064D 064E 064F 0650 0652 0670 069C 06A2 06A7 06A8
A 0627
B 0628
D 062F
E 0639
F 0641
G 063A
H 0647
I 0625
J 062C
K 0643
L 0644
M 0645
N 0646
P 067E
Q 0642
R 0631
S 0633
T 062A
U 0624
W 0648
XAA 0622
XAE 0623
XAY 0649
XBE 06D3
XC 0686
XDH 0630
XDO 06BE
XDR 0689
XDZ 0636
XE 0621
XGE 06C2
XGG 06AF
XH 062D
XI 0626
XJ 0698
XKE 0681
XKH 062E
XKK 06A9
XNG 06AD
XNN 06BA
XRR 0693
XRT 067C
XRX 0696
XSH 0634
XSS 0635
XTA 0629
XTG 06C3
XTH 062B
XTT 0637
XXA 0671
XXD 0688
XXG 06C1
XXH 0685
XXK 06AB
XXN 06BC
XXR 0691
XXS 069A
XXT 0679
XXY 06CD
XYA 06CC
XYB 06D2
XYH 06C0
XZZ 0638
Y 064A 06D0
Z 0632
"""
SHADDA = "\u0651"  # doubles the letter before it
TEH_MARBUTA = "\u0629"  # XAH at the end of a name, XTA elsewhere


def build_table(text: str) -> dict[str, str]:
    """One of the tables above as character to letters."""
    table: dict[str, str] = {}
    for row in text.strip().splitlines():
        letters, *points = row.split()
        for point in points:
            table[chr(int(point, 16))] = "" if letters == "-" else letters
    return table
