"""Letters and marks that print nothing (Default_Ignorable_Code_Point of Unicode). Stores nothing.

They pass every check for letters, and two texts that differ by one look the same.
"""

INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0") | {
    chr(code) for code in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
}
