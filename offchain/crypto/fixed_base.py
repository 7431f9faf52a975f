"""Powers of one base by a table (Brickell, Gordon, McCurley, Wilson; Eurocrypt 1992).

With the exponent cut into digits of w bits, base^e = Π_i table[i][digit_i]: one multiplication a
digit and no squaring. Which entries are read depends on the exponent, so the cache sees it: only
for exponents whose owner shares the processor with nobody it must hide from.
"""

from gmpy2 import mpz

from offchain.crypto.secret_power import secret_power
from offchain.errors import InvalidScalarError

NARROW_WINDOW = 4
MAX_WINDOW = 12
# What a wide table may take; its window is the widest that fits.
WIDE_TABLE_BYTES = 40 << 20
_ENTRY_OVERHEAD_BYTES = 40


class FixedBase:
    """The powers base^(d·2^(w·i)) mod `modulus` for exponents of at most `exponent_bits` bits.

    A window of 8 bits halves the work of one of 4, has 8 times as many entries and takes 8 times
    as long to make: 0.4 s and 38 MiB for 1,536-bit exponents modulo a square of 3072 bits.
    """

    __slots__ = ("_exponent_bits", "_modulus", "_rows", "_window")

    def __init__(self, base: int, modulus: int, *, exponent_bits: int, window: int) -> None:
        if not 1 <= window <= MAX_WINDOW:
            raise InvalidScalarError(f"the window of a fixed base is 1..{MAX_WINDOW} bits")
        self._modulus = mpz(modulus)
        self._exponent_bits = exponent_bits
        self._window = window
        self._rows = []
        power = mpz(base) % self._modulus
        for _ in range(-(-exponent_bits // window)):
            row = self._powers_of(power)
            self._rows.append(row)
            power = row[-1] * power % self._modulus

    def _powers_of(self, base: mpz) -> list[mpz]:
        row = [mpz(1), base]
        while len(row) < 1 << self._window:
            row.append(row[-1] * base % self._modulus)
        return row

    def power(self, exponent: int) -> mpz:
        """Return base^exponent. Raises InvalidScalarError for an exponent that is too long."""
        if exponent < 0 or exponent.bit_length() > self._exponent_bits:
            raise InvalidScalarError("an exponent does not fit the table of its base")
        modulus, result = self._modulus, mpz(1)
        for row, digit in zip(self._rows, self._digits(exponent), strict=True):
            result = result * row[digit] % modulus  # digit 0 too: the work is the same for all
        return result

    def _digits(self, exponent: int) -> list[int]:
        count, window = len(self._rows), self._window
        if window == 8:
            return list(exponent.to_bytes(count, "little"))
        # Eight digits of w bits are w bytes: small integers, whose shifts cost little.
        octets = exponent.to_bytes(-(-count // 8) * window, "little")
        mask, digits = (1 << window) - 1, []
        for start in range(0, len(octets), window):
            eight = int.from_bytes(octets[start : start + window], "little")
            digits += [eight >> place & mask for place in range(0, 8 * window, window)]
        return digits[:count]


def wide_window(modulus: int, *, exponent_bits: int) -> int:
    """Return the widest window whose table fits WIDE_TABLE_BYTES; at least the narrow one."""
    entry = -(-modulus.bit_length() // 8) + _ENTRY_OVERHEAD_BYTES
    fitting = [
        window
        for window in range(NARROW_WINDOW, MAX_WINDOW + 1)
        if (-(-exponent_bits // window) << window) * entry <= WIDE_TABLE_BYTES
    ]
    return max(fitting, default=NARROW_WINDOW)


class GrowingBase:
    """Powers of one base by whatever costs least so far: no table, a narrow one, a wide one.

    A base that is used once needs no table; one that is used for a data set deserves the large.
    Not thread-safe while it grows, but harmless: two threads may make the same table.
    """

    __slots__ = ("_base", "_exponent_bits", "_modulus", "_table", "_uses")

    NARROW_AFTER = 2
    WIDE_AFTER = 256

    def __init__(self, base: int, modulus: int, *, exponent_bits: int) -> None:
        self._base, self._modulus = mpz(base), mpz(modulus)
        self._exponent_bits = exponent_bits
        self._table: FixedBase | None = None
        self._uses = 0

    def prepare(self) -> None:
        """Make the wide table now."""
        self._uses = self.WIDE_AFTER + 1
        self._make_table(self._wide_window())

    def power(self, exponent: int) -> mpz:
        """Return base^exponent."""
        self._uses += 1
        if self._uses == self.NARROW_AFTER + 1:
            self._make_table(NARROW_WINDOW)
        elif self._uses == self.WIDE_AFTER + 1:
            self._make_table(self._wide_window())
        if self._table is None:
            return secret_power(self._base, exponent, self._modulus)
        return self._table.power(exponent)

    def _wide_window(self) -> int:
        return wide_window(int(self._modulus), exponent_bits=self._exponent_bits)

    def _make_table(self, window: int) -> None:
        self._table = FixedBase(
            self._base, self._modulus, exponent_bits=self._exponent_bits, window=window
        )
