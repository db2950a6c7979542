"""Knowledge of mail providers: common domains, public ones, disposable ones, role mailboxes.

Owns the tables behind `Address.quality_problem`, `addresses.suggestion` and what is a private
domain. Works on normalised
parts; refuses nothing itself. Our own tables are short on purpose: a complete one would be outdated
every week, and a miss costs a bounce but breaks no law. The disposable domains come from a package
with frequent releases (docs/decisions/0021), loaded at first use: among the public calls, only one
with a probable typo needs it.
"""

import re


def words(text: str) -> tuple[str, ...]:
    """The words of a table that is written as text."""
    return tuple(text.split())


# What may be suggested, most common first: of two equally near domains the earlier one wins.
COMMON = words(
    """
    gmail.com orange.fr hotmail.fr hotmail.com yahoo.fr outlook.fr wanadoo.fr free.fr sfr.fr
    laposte.net icloud.com outlook.com live.fr yahoo.com bbox.fr neuf.fr live.com msn.com aol.com
    gmx.fr gmx.com me.com mac.com protonmail.com proton.me pm.me googlemail.com club-internet.fr
    numericable.fr aliceadsl.fr cegetel.net netcourrier.com mailo.com
    """
)
# Real providers whose names look like typos of common ones by every rule below.
REAL_NEIGHBOURS = frozenset(words("hmail.com mail.com"))
# Country endings one letter away from a common one.
_OTHER_COUNTRIES = frozenset(words("br fi gr hr kr tr"))
# Typos beyond the edit distance, or of names too short to guess; and typos that somebody has
# registered to catch mail, so that they are on the list of disposable domains.
TYPOS = {
    "ffree.fr": "free.fr",
    "fre.fr": "free.fr",
    "freee.fr": "free.fr",
    "gmail.fr": "gmail.com",
    "gmial.com": "gmail.com",
    "hotmai.com": "hotmail.com",
    "hotmial.com": "hotmail.com",
    "icloud.fr": "icloud.com",
    "liv.fr": "live.fr",
    "lvie.fr": "live.fr",
    "sffr.fr": "sfr.fr",
    "srf.fr": "sfr.fr",
}

# Where anybody can have a mailbox, so that two who do have nothing in common: names that their
# owners use under every ending, and single domains of access providers and free mail.
_PUBLIC_NAMES = frozenset(
    words(
        """
        aim aol club-internet duck email fastmail freemail freenet gmail gmx googlemail hotmail
        hushmail icloud inbox laposte libero live lycos mail mailo msn neuf netcourrier numericable
        orange outlook posteo proton protonmail rediffmail rocketmail sfr sky tele2 terra tiscali
        tuta tutamail tutanota virgilio vivaldi voila wanadoo yahoo yandex ymail zoho zohomail
        """
    )
)
_PUBLIC = frozenset(
    words(
        """
        126.com 139.com 163.com a1.net abv.bg alice.it aliceadsl.fr aon.at arcor.de att.net
        bbox.fr bell.net bellsouth.net bigpond.com bk.ru bluewin.ch bol.com.br btinternet.com
        caramail.fr casema.nl cegetel.net centrum.cz charter.net chello.at chello.nl clix.pt
        comcast.net cox.net daum.net disroot.org earthlink.net eircom.net excite.com foxmail.com
        free.fr freesurf.fr globo.com hanmail.net hetnet.nl hey.com hispeed.ch home.nl i.ua ik.me
        infonie.fr inwind.it iol.it juno.com kpnmail.nl list.ru mac.com mailbox.org me.com meo.pt
        mindspring.com naver.com netzero.net noos.fr nordnet.fr ntlworld.com o2.pl online.de
        online.no onet.pl optonline.net optusnet.com.au pec.it planet.nl pm.me
        privaterelay.appleid.com proximus.be qq.com rambler.ru riseup.net rogers.com runbox.com
        sapo.pt sbcglobal.net scarlet.be seznam.cz shaw.ca sina.com skynet.be sohu.com
        startmail.com sunrise.ch sympatico.ca t-online.de talktalk.net telefonica.net
        telenet.be telia.com telus.net tim.it tin.it uol.com.br upcmail.nl usa.net verizon.net
        videotron.ca virgin.net virginmedia.com web.de worldonline.fr wp.pl xs4all.nl xtra.co.nz
        ya.ru ziggo.nl
        """
    )
)
_COUNTRY = re.compile(r"[a-z]{2}|com|net|org|eu|info|biz|io|fm|(?:com?|net|org)\.[a-z]{2}")

_ROLES = frozenset(
    words(
        """
        abuse admin administrator bounce bounces contact daemon donotreply hostmaster info
        mailerdaemon marketing nepasrepondre newsletter noc noreply postmaster root sales security
        support webmaster
        """
    )
)
_SHORT_NAME = 4  # characters before the first dot: names this short have real neighbours
_LONG_NAME = 7  # from this length on, two typos still leave no doubt
FAR = 3


def is_role(local: str) -> bool:
    """Whether a local part is a role and not a person: `no-reply`, `postmaster+x`."""
    return re.sub(r"[._-]", "", local.partition("+")[0]) in _ROLES


def is_disposable(domain: str) -> bool:
    """Whether the domain or a parent of it is disposable: these services offer sub-domains too."""
    from disposable_email_domains import blocklist

    labels = domain.split(".")
    return any(".".join(labels[i:]) in blocklist for i in range(len(labels) - 1))


def is_public(domain: str) -> bool:
    """Whether anybody can have an address at the domain. One that is not known is private: then
    strangers look related, which weighs little.
    """
    name, _, ending = domain.partition(".")
    if domain in _PUBLIC or domain in COMMON:
        return True
    of_all_countries = name in _PUBLIC_NAMES and _COUNTRY.fullmatch(ending) is not None
    return of_all_countries or is_disposable(domain)


def domain_meant(domain: str) -> str | None:
    """The common domain that `domain` (lower-case, possibly not valid) is a typo of."""
    if domain in COMMON or domain in REAL_NEIGHBOURS:
        return None
    if domain in TYPOS:
        return TYPOS[domain]
    near = [common for common in COMMON if _may_mean(domain, common)]
    if not near or is_disposable(domain):  # a disposable domain is not a typo
        return None
    # min() returns the first of equals, so the order of COMMON decides a tie.
    return min(near, key=lambda common: distance(domain, common))


def _may_mean(domain: str, common: str) -> bool:
    """Whether `domain` is a likely typo of `common`, not another provider or country."""
    name, dot, ending = domain.partition(".")
    common_name, _, common_ending = common.partition(".")
    if not dot:
        glued = distance(domain, common) <= 1  # gmailcom
        return glued or (len(common_name) > _SHORT_NAME and distance(domain, common_name) <= 1)
    if ending in _OTHER_COUNTRIES or distance(ending, common_ending) > 1:
        return False
    if len(common_name) <= _SHORT_NAME:
        return name == common_name
    if not _begins_alike(name, common_name):
        return False
    return distance(domain, common) <= (2 if len(common_name) >= _LONG_NAME else 1)


def _begins_alike(name: str, common: str) -> bool:
    """A typo keeps the first letter, omits it or swaps it with the next; any other first letter is
    another provider's: foxmail, mozmail, yopmail.
    """
    return name[:1] == common[0] or name == common[1:] or name[:2] == common[1] + common[0]


def distance(a: str, b: str) -> int:
    """Edits between two short texts, up to 2; `FAR` from 3 on.

    An edit is a character inserted, omitted or replaced, or two neighbours swapped.
    """
    if abs(len(a) - len(b)) >= FAR:
        return FAR
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, ca in enumerate(a, 1):
        before, earlier, row = row, before, [i]
        for j, cb in enumerate(b, 1):
            edits = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (ca != cb))
            if i > 1 and j > 1 and ca == b[j - 2] and a[i - 2] == cb:
                edits = min(edits, earlier[j - 2] + 1)
            row.append(edits)
    return min(row[-1], FAR)
