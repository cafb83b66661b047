"""Which requests a fault is for."""

from dataclasses import dataclass

from oauth.sandbox.faults.fault import Fault
from oauth.sandbox.request import Endpoint

MOST_RULES = 1000


@dataclass(slots=True)
class Rule:
    """A fault for the next ``times`` requests (``None``: without end), for a ``share`` of them from 0 to 1, of one
    client and at one endpoint if they are given. ``met`` counts the requests it was for, ``provoked`` its faults."""

    number: int
    fault: Fault
    times: int | None = 1
    share: float = 1.0
    client_id: str | None = None
    endpoint: Endpoint | None = None
    met: int = 0
    provoked: int = 0

    def is_for(self, endpoint: Endpoint, client_id: str | None) -> bool:
        """Whether it is for such a request."""
        return self.endpoint in (None, endpoint) and self.client_id in (None, client_id)

    def strikes(self) -> bool:
        """Whether it strikes now; a share is spread evenly, and not by chance, so that a test can rely on it."""
        self.met += 1
        # The small addend makes 3 times a third a whole.
        strikes = int(self.met * self.share + 1e-9) > int((self.met - 1) * self.share + 1e-9)
        self.provoked += strikes
        return strikes

    @property
    def remaining(self) -> int | None:
        """How many faults are still to come."""
        return None if self.times is None else self.times - self.provoked


class Faults:
    """The rules, oldest first. The first that strikes wins; one that is used up is dropped."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._number = 0

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Those that may still strike, oldest first."""
        return tuple(self._rules)

    @property
    def last_number(self) -> int:
        """The number of the newest rule that there was."""
        return self._number

    def add(
        self,
        fault: Fault,
        times: int | None = 1,
        share: float = 1.0,
        client_id: str | None = None,
        endpoint: Endpoint | None = None,
    ) -> Rule:
        """Add a rule. Raises ``ValueError`` when there are ``MOST_RULES``."""
        if len(self._rules) >= MOST_RULES:
            raise ValueError(f"There are {MOST_RULES} fault rules. Remove some.")
        self._number += 1
        rule = Rule(self._number, fault, times, share, client_id, endpoint)
        self._rules.append(rule)
        return rule

    def rule(self, number: int) -> Rule:
        """Raises ``LookupError`` when there is no such rule, or it is used up."""
        for rule in self._rules:
            if rule.number == number:
                return rule
        raise LookupError(f"There is no fault {number}, or it is used up.")

    def remove(self, number: int) -> None:
        """Raises ``LookupError`` when there is no such rule, or it is used up."""
        self._rules.remove(self.rule(number))

    def clear(self) -> None:
        """Remove every rule; numbers go on."""
        self._rules.clear()

    def refill(self, last_number: int, rules: list[Rule]) -> None:
        """Have these rules instead."""
        self._rules, self._number = rules, last_number

    def take(self, endpoint: Endpoint, client_id: str | None) -> Fault | None:
        """The fault that this request gets."""
        for rule in self._rules:
            if rule.is_for(endpoint, client_id) and rule.strikes():
                if rule.remaining == 0:
                    self._rules.remove(rule)
                return rule.fault
        return None
