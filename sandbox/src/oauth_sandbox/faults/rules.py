"""Rules that say which requests a fault applies to."""

from dataclasses import dataclass

from oauth_sandbox.faults.fault import Fault
from oauth_sandbox.request import Endpoint

MOST_RULES = 1000


@dataclass(slots=True)
class Rule:
    """A fault for the next ``times`` requests, or without limit when that is ``None``.

    ``share`` is the fraction of requests it strikes; ``client_id`` and ``endpoint`` narrow it to one of each. ``met``
    counts the requests it applied to, ``provoked`` the faults.
    """

    number: int
    fault: Fault
    times: int | None = 1
    share: float = 1.0
    client_id: str | None = None
    endpoint: Endpoint | None = None
    met: int = 0
    provoked: int = 0

    def is_for(self, endpoint: Endpoint, client_id: str | None) -> bool:
        """Return true when the rule applies to such a request."""
        at = (self.endpoint, self.fault.only_at)
        return all(it in (None, endpoint) for it in at) and self.client_id in (None, client_id)

    def strikes(self) -> bool:
        """Count a request and return true when the fault strikes; shares are spread evenly, so that tests can rely on
        them.
        """
        self.met += 1
        # The small addend makes three times a third a whole.
        strikes = int(self.met * self.share + 1e-9) > int((self.met - 1) * self.share + 1e-9)
        self.provoked += strikes
        return strikes

    @property
    def remaining(self) -> int | None:
        """The number of faults to come; ``None`` without limit."""
        return None if self.times is None else self.times - self.provoked


class Faults:
    """The rules, oldest first. The first that strikes wins; a used-up rule is dropped.

    ``last_number`` is that of the newest rule ever added.
    """

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self.last_number = 0

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules that may still strike, oldest first."""
        return tuple(self._rules)

    @property
    def comes_first(self) -> bool:
        """True if a rule has a fault that strikes before anything is looked at."""
        return any(rule.fault.comes_first for rule in self._rules)

    def add(
        self,
        fault: Fault,
        times: int | None = 1,
        share: float = 1.0,
        client_id: str | None = None,
        endpoint: Endpoint | None = None,
    ) -> Rule:
        """Add a rule. Raises ``ValueError`` when there are ``MOST_RULES`` already."""
        if len(self._rules) >= MOST_RULES:
            raise ValueError(f"There are {MOST_RULES} fault rules already. Remove some.")
        self.last_number += 1
        rule = Rule(self.last_number, fault, times, share, client_id, endpoint)
        self._rules.append(rule)
        return rule

    def rule(self, number: int) -> Rule:
        """Return a rule. Raises ``LookupError`` when it is unknown or used up."""
        for rule in self._rules:
            if rule.number == number:
                return rule
        raise LookupError(f"There is no fault {number}, or it is used up.")

    def remove(self, number: int) -> None:
        """Remove a rule. Raises ``LookupError`` when it is unknown or used up."""
        self._rules.remove(self.rule(number))

    def clear(self) -> None:
        """Remove every rule; numbering continues."""
        self._rules.clear()

    def refill(self, last_number: int, rules: list[Rule]) -> None:
        """Replace the rules."""
        self._rules, self.last_number = rules, last_number

    def take(self, endpoint: Endpoint, client_id: str | None, *, first: bool = False) -> Fault | None:
        """Return the fault for this request, if any; of those that come ``first``, or of the others."""
        for rule in self._rules:
            if rule.fault.comes_first is first and rule.is_for(endpoint, client_id) and rule.strikes():
                if rule.remaining == 0:
                    self._rules.remove(rule)
                return rule.fault
        return None
