"""The bodies of the calls of ops and marketing: the dashboard and held rewards. As in models.py."""

from __future__ import annotations

from typing import Annotated, Literal

from chalicelib.api.fields import (
    ChannelName,
    Count,
    Currency,
    Day,
    DecimalText,
    Holder,
    Id,
    Line,
    Moment,
    SignalName,
    Slug,
    Template,
    TimeZone,
    described,
)
from chalicelib.api.model_bases import Answer, Texts


class CampaignLineAnswer(Answer):
    """A campaign to choose: one programme of one brand in one country."""

    campaign: Slug
    title: Texts
    brand: Line
    country: Annotated[str, described("FR", pattern="^[A-Z]{2}$")]
    starts_on: Day
    ends_on: Day


class CampaignsAnswer(Answer):
    """The campaigns, by brand, country and the day they begin, the last one first. One whose
    records have ended is not among them.
    """

    campaigns: list[CampaignLineAnswer]


class ListAnswer(Answer):
    """The status of a digest list; version 0: there is none. It is in force for `max_age_days`;
    `rows_before`: those of the version before it.
    """

    version: Count
    rows: Count
    accepted_at: Moment | None
    in_force: bool
    max_age_days: Count
    rows_before: Count | None


class WatchAnswer(Answer):
    """What the client is expected to do, and whether it is overdue.

    `since`: when the oldest export without an acknowledgement was written (null: there is none),
    when the last order file was dropped (null: none yet), or when the own codes of `template` were
    counted. `left`: how many of these there were, of exports how many wait. `invitations` is there
    only while bounces or complaints have stopped them, `since` then.
    """

    watch: Literal["acknowledgements", "orders", "codes", "invitations"]
    overdue: bool
    since: Moment | None
    template: Template | None
    left: Count | None


class SignalAnswer(Answer):
    """What speaks against a reward: how much of it was seen, and the points it adds."""

    signal: SignalName
    seen: Count
    points: Count


class HeldRewardAnswer(Answer):
    """A reward that waits for a decision. `reward` names it; the score is the sum of the points;
    after `ends_at` time decides.
    """

    reward: Id
    referral: Id
    rule: Annotated[str, described("sponsor-first-order")]
    rung: Annotated[int, described(1, minimum=0)]
    holder: Holder
    value: DecimalText
    currency: Currency
    score: Count
    signals: list[SignalAnswer]
    held_at: Moment
    ends_at: Moment


class HeldRewardsAnswer(Answer):
    """What is held in a campaign, what ends first before the others; at most 1,000."""

    held: list[HeldRewardAnswer]


class HeldSumAnswer(Answer):
    """How many rewards are held now, and what they are worth together."""

    rewards: Count
    value: DecimalText
    currency: Currency


class SurvivalPointAnswer(Answer):
    """The share that still bought after that many days, with its 95 % band."""

    days: Count
    share: Annotated[float, described(0.91)]
    low: Annotated[float, described(0.88)]
    high: Annotated[float, described(0.93)]


class DifferenceAnswer(Answer):
    """By how many points more of ours still bought after that many days, with its 95 % band."""

    days: Count
    points: Annotated[float, described(6.1)]
    low: Annotated[float, described(2.4)]
    high: Annotated[float, described(9.8)]


class ComparisonAnswer(Answer):
    """Ours beside another cohort. `p`: how probable curves so far apart are if both bought alike
    (log-rank test); null where too little is known, and a day that too few are known for is left
    out.
    """

    p: Annotated[float, described(0.004)] | None
    differences: list[DifferenceAnswer]


class CohortAnswer(Answer):
    """The newcomers of one source: `referred` are ours, `others` all of the client's together.

    `curve` is Kaplan and Meier's, with a point for each day on which somebody bought for the last
    time; `compared` is missing with ours, and where there are none of ours.
    """

    source: Annotated[str, described("referred")]
    as_of: Day
    people: Count
    known_days: Count
    curve: list[SurvivalPointAnswer]
    compared: ComparisonAnswer | None


class ActAnswer(Answer):
    """Something that happened: the name of a fact, when, and the channel of an invitation."""

    at: Moment
    act: Annotated[str, described("invitation_received")]
    channel: ChannelName | None


class DashboardAnswer(Answer):
    """The live figures of a campaign.

    `funnel` counts what happened, in total and by local day; its `found_on_later_list` counts
    referees, each once, who were found on a later customer list when they confirmed or when a
    first reward was refused for it. `orders_by_buyer` counts each reported order once, by who is
    known to have made it.

    `counted_until`: when the newest fact in the counts happened (null: nothing is counted yet).
    `lag_s`: for how long, at least, something has waited to be counted; 0 where nothing was seen.
    `figures` are further counts in total, where they are not 0; sums are in minor units of
    `currency`. docs/operations.md names them. `figures_by_day` has them by day: the position in
    `days` of the first day that has any, then a count for this day and each of the next ones in
    `days`; after the last all are 0. `acts` are of the last 20 that are counted, the
    newest first: all of them, or on a wall those that anybody may see, by the minute.
    """

    campaign: Slug
    version: Count
    as_of: Moment
    counted_until: Moment | None
    lag_s: Count
    time_zone: TimeZone
    currency: Currency
    starts_on: Day
    ends_on: Day
    figures: Annotated[dict[str, int], described({"issued_minor": 4500})]
    funnel: Annotated[dict[str, int], described({"received": 12, "confirmed": 5})]
    refused_by_reason: Annotated[dict[str, int], described({"customer": 2})]
    orders_by_buyer: Annotated[dict[str, int], described({"referee": 4})]
    held_rewards: HeldSumAnswer
    days: Annotated[list[dict[str, str | int]], described([{"date": "2026-05-04", "received": 12}])]
    figures_by_day: Annotated[dict[str, list[int]], described({"issued_minor": [0, 1500, 3000]})]
    lists: dict[str, ListAnswer]
    watched: list[WatchAnswer]
    cohorts: list[CohortAnswer]
    acts: list[ActAnswer]
