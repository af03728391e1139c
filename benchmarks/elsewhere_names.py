"""Names of invented people for ``benchmarks.elsewhere``: pools by world region, by its own rules.

In: nothing but a seed. Out: lists of names with Zipf frequencies. Written without knowledge
of Sojourn's own simulator. Letters as in the machine readable zone: A to Z and blanks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

KOREAN = "KIM LEE PARK CHOI JUNG KANG CHO YOON JANG LIM HAN OH SEO SHIN KWON HWANG AHN SONG"
VIETNAMESE = "NGUYEN TRAN LE PHAM HUYNH HOANG PHAN VU VO DANG BUI DO HO NGO DUONG LY DINH DAO"
CHINESE = (
    "WANG LI ZHANG LIU CHEN YANG HUANG ZHAO WU ZHOU XU SUN MA ZHU HU GUO HE LIN GAO LUO ZHENG "
    "LIANG XIE SONG TANG XU DENG HAN FENG CAO PENG ZENG XIAO TIAN DONG PAN YUAN CAI JIANG YU "
    "DU YE CHENG WEI SU LU DING REN YAO SHEN ZHONG CUI TAN WANG FAN JIN SHI LIAO JIA XIA FU"
)


@dataclass(frozen=True)
class Pool:
    """One region. ``weight``: share of travellers; ``steep``: the exponent of Zipf's law;

    ``countries``: nationality and weight; ``starts``, ``middles``: syllables; the rest are endings.
    ``middle``: how often a second given name; ``double``: how often a second surname.
    """

    weight: float
    countries: str
    starts: str
    middles: str
    surname_ends: str
    male_ends: str
    female_ends: str
    surnames: int = 4000
    givens: int = 700
    steep: float = 0.85
    middle: float = 0.3
    double: float = 0.0
    fixed: str = ""
    variants: bool = False


POOLS = (
    Pool(8, "GBR 5 IRL 1 AUS 2 NZL 1 USA 6 CAN 2", "AL BAR BRAD CAR CLAR DAN ED FAR GRAY HAR JAM "
         "KEN LAN MAR MOR NOR PET RAD SHEL STAN TOM WAL WEST WIN", "E A DE LE NA RI TO MO",
         "SON TON LEY FORD WOOD WELL BY MAN ER S HAM FIELD", "N RD L S CK M T",
         "A IE YN LLE NE TH", 5000, middle=0.55),
    Pool(7, "DEU 7 AUT 1 CHE 1", "ALT BACH BERG BRAUN EICH FISCH GRUB HAN HOF KAL KRAU LANG MEI "
         "NEU OBER RICH SCHM SCHN STEIN VOG WAG WEI ZIM", "E EN ER EL IN A",
         "MANN ER BERG HAUER BACH STEIN KE LER", "RICH BERT FRIED HARD OLF MUT",
         "A E GARD LINDE IKE",
         middle=0.25),
    Pool(6, "FRA 7 BEL 2 LUX 1", "BEAU BER BLAN BOU CHAM COR DELA DU FON GAR GIR LA LE MAR MOU PER "
         "PIC REN ROU SAU TAI VAL VIL", "CHE DE LI MA NI RE TI VE", "AULT EAU ET IER ON IN ARD EL",
         "EL IEN ICK IS", "INE ELLE IE ETTE", middle=0.35),
    Pool(6, "ESP 4 MEX 4 COL 3 ARG 2 PER 2 CHL 1", "AL BAR BEN CAL CAS COR DEL ES FER GAR GON GUT "
         "HER MAR MEN MOR NAV ORT PAL RAM RIV ROD SAL VAL", "A E I DO RI NA LE GUE",
         "EZ ERO AS OS ADA ILLO ANO", "O ANDO EL IO ERTO", "A INA IA ELA ISA", 2500, 400, 0.95,
         0.6, 0.85),
    Pool(5, "BRA 7 PRT 3 AGO 1", "AL AZE BAR CAR COE COS CUN DUA FER FON GOU LI MAC MAR MEN NO OLI "
         "PE PIN REB SAN SIL TEI VAS", "A E I VE NHE RA LO", "EIRA EIRO ES AO OS INHO ADO",
         "O INHO SON EL IO", "A IA INHA ENE", 2000, 500, 0.95, 0.4, 0.7),
    Pool(4, "ITA 1", "AL BAR BEL BIAN CAR COL CON DE FER FON GAL GIO GRE LOM MAR MON PEL RIC ROM "
         "RUS SAN TES VEN", "A E I CI LI TO NA RE", "INI ELLI ETTI ONE ARI ANO UCCI ESE",
         "O IO INO ELLO", "A INA ELLA IA", middle=0.15),
    Pool(5, "RUS 5 UKR 3 BLR 1 KAZ 1", "ANDR BEL BOGD DAN DMIT FED GRIG IVAN KAR KOZ KUZ LEB MAKS "
         "MIKH NIK PAV PET ROM SEM SERG STEP VAS YAK ZAKH", "E A O I YA IU",
         "OV EV IN ENKO SKIY KO",
         "IY R SLAV YL N", "A INA YA IANA", middle=0.3, variants=True),
    Pool(4, "POL 4 CZE 2 SVK 1 HRV 1 SRB 1", "BAR BOR CHM DOM DRA GOR JAN KAL KOV KRA LEW MAJ MAL "
         "MIL NOV PAW RAD SOK STAN TOM WIS WOJ ZAL", "A E O I CI LI RZ",
         "SKI CKI IAK EK IC OVIC CZYK",
         "SLAW AN OSZ EK", "A ENA ICA ANA", middle=0.2),
    Pool(3, "SWE 3 NOR 2 DNK 2 FIN 2",
         "AND BERG BJOR DAHL EK FORS GUST HAL HOLM JOH KARL LIND LUND "
         "MAG NIL NY OL PET SAND STRO SUND VIK", "E A ER S ST",
         "SSON SEN STROM BERG QVIST NEN GREN",
         "US IK AR ULF", "A E RID IKA", middle=0.4),
    Pool(4, "TUR 1", "AK ALT AR AY BAL CAN CEL DEM DO ER GUL GUN KAR KAY KIL KO OZ SAH TAS TUR UN "
         "YIL YUK", "DE LI MA RA TA CI KU", "OGLU LI CI ER KAN MAZ AN", "AN ET IM UR",
         "E A NUR GUL",
         middle=0.2, variants=True),
    Pool(7, "EGY 3 JOR 1 SAU 2 ARE 1 SYR 2 IRQ 2 MAR 2 DZA 1", "ABDEL AHM AL BAK BOU DAW FAR HAM "
         "HAS HUS IBR KHAL MAH MOH MUS NAS OM RASH SAL SHAR SULA TAH YOU ZAK", "A E I OU EE AI",
         "AWI ANI I OURI AD IM OUD", "ED IM IR EEF AD", "A AH INA EEN", 2500, 250, 1.0, 0.7,
         variants=True),
    Pool(5, "IRN 3 AFG 2 PAK 4", "AFSH AKB ALI AMIR ASGH BAHR FARH GHOL HASH HOSS JAV KARIM KHAN "
         "MALEK MIR NAW QAD RAH REZ SHAH TAHER ZAM", "A E I AN EH", "I ZADEH PUR IAN ULLAH WAL",
         "AN ID AM OUD", "EH A NAZ EEN", 2500, 300, 0.95, 0.4, variants=True),
    Pool(9, "IND 8 NPL 1 LKA 1 BGD 2", "AGAR BAN BHAT CHAK CHAN DAS DESH GHO GUP JAY KRISH KUL MAH "
         "MUKH NAR PAT RAJ RAM SHAR SING SUB THAK VEN VIJ", "A I E U AN ARA ESH",
         "AN ER A I WAL KAR",
         "ESH IT AN AV", "A I ITA IKA", 5000, 900, 1.0, 0.3, variants=True),
    Pool(8, "CHN 8 TWN 1 SGP 1", "XIAO JIA YU ZI WEN HAO MEI LI JUN XIN HUI JIAN ZHI FANG YI CHUN",
         "", "", "MING WEI QIANG LONG HUA FENG BO YANG JIE PING",
         "YAN NA TING XIA LING JING MEI HUA",
         60, 600, 0.7, 0.0, fixed=CHINESE),
    Pool(4, "KOR 1", "JI MIN SEO HYUN YOUNG SANG EUN JAE DONG KYUNG SOO TAE HYE SUNG", "",
         "", "HO JUN HOON WOO SIK CHUL MIN", "AH YOUNG JIN HEE SUN KYUNG MI", 18, 300, 1.0, 0.0,
         fixed=KOREAN, variants=True),
    Pool(3, "VNM 1", "VAN MINH QUANG DUC THANH NGOC THI HONG THU XUAN ANH", "", "",
         "HUNG TUAN DUNG LONG NAM HAI", "LAN HOA MAI HUONG LINH TRANG", 18, 200, 1.1, 0.6,
         fixed=VIETNAMESE),
    Pool(4, "JPN 1",
         "ARA FUJI HASHI HAYA INO ISHI KAWA KO MATSU MORI NAKA NISHI OKA SAI SATO SHIMO "
         "TAKA TANA UE WATA YAMA YOSHI", "NO GA SHI KA MU", "MOTO DA MURA YAMA TA KI SAWA",
         "TO KI SHI O RO", "KO MI KA NA E", 3000, 600, 0.8, 0.0, variants=True),
    Pool(5, "PHL 4 IDN 3 MYS 2 THA 2", "ABD AGUS BAU BUD CRU DEL GAR HAR IBR KUS LES MAG MAN NUR "
         "PRA PUT RAH SAN SAR SRI SUR WID", "A I U TO NA RA", "NTO WAN DI SARI NG YONO DO RAN",
         "O I AN",
         "A I TI", middle=0.5),
    Pool(7, "NGA 5 GHA 2 KEN 3 UGA 2 TZA 2",
         "ADE AKIN AMA BABA CHI EKE EZE IKE KAM KIP MBE MU MWAN "
         "NDI NJO NWA OBI ODI OKO OLU ONY OTI WAN", "A I O U WE KA RI", "NDE KWE LE KA GI NYI ABO",
         "U A ELE EM", "A I WA NE", middle=0.5),
    Pool(4, "ETH 4 ERI 1 SOM 3 SDN 2",
         "ABE AHM ALE ASF BEK DAW FEK GEB GIR HAI KEB MEK MOH NEG SOL "
         "TAD TEK TES WOL YOH ZER", "A E I O U", "YE BE DE SELASSIE MARIAM RU NEH", "W SA LE S",
         "T SH NA BA", 1200, 300, 0.95, 0.4, variants=True),
)  # fmt: skip


def build_list(
    rng: np.random.Generator, starts: str, middles: str, ends: str, size: int
) -> list[str]:
    """Up to ``size`` distinct words of start, none to two middles, and an end."""
    first, inner, last = starts.split(), middles.split() or [""], ends.split() or [""]
    words: dict[str, None] = {}
    for _ in range(12):
        picks = [rng.integers(0, len(p), size) for p in (first, inner, inner, last)]
        middles_used = rng.choice(3, size, p=[0.35, 0.5, 0.15])
        for a, b, c, d, n in zip(*picks, middles_used, strict=True):
            words[first[a] + (inner[b] if n else "") + (inner[c] if n > 1 else "") + last[d]] = None
        if len(words) >= size:
            break
    return list(words)[:size]


@dataclass(frozen=True)
class Lists:
    """All words of one sort, all pools one after the other, and each pool's drawing table."""

    words: list[str]
    starts: list[int]
    cumulative: list[NDArray[np.float64]]

    def draw(self, rng: np.random.Generator, pools: NDArray[np.int64]) -> NDArray[np.int64]:
        """A word's number for each pool number."""
        drawn = np.zeros(len(pools), np.int64)
        for pool, cumulative in enumerate(self.cumulative):
            rows = np.flatnonzero(pools == pool)
            drawn[rows] = self.starts[pool] + np.searchsorted(cumulative, rng.random(len(rows)))
        return drawn


def _lists(parts: list[tuple[list[str], float]]) -> Lists:
    words: list[str] = []
    starts, tables = [], []
    for part, steep in parts:
        frequency = 1 / (np.arange(len(part)) + 2.7) ** steep
        cumulative = np.cumsum(frequency / frequency.sum())
        cumulative[-1] = 1.0
        starts.append(len(words))
        tables.append(cumulative)
        words += part
    return Lists(words, starts, tables)


def build_names(rng: np.random.Generator) -> tuple[Lists, Lists, Lists]:
    """Surnames, men's and women's given names of every pool."""
    surnames, men, women = [], [], []
    for p in POOLS:
        own = p.fixed.split() or build_list(rng, p.starts, p.middles, p.surname_ends, p.surnames)
        surnames.append((own, p.steep))
        men.append((build_list(rng, p.starts, p.middles, p.male_ends, p.givens), 0.9))
        women.append((build_list(rng, p.starts, p.middles, p.female_ends, p.givens), 0.9))
    return _lists(surnames), _lists(men), _lists(women)
