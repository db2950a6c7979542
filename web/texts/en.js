/**
 * The texts of the pages in English. The other languages have the same keys; the page fills the
 * `{places}`, and texts with a count have a form for each plural of their language.
 *
 * Every counter of the dashboard has a `count.` text, every reason for refusing an invitation a
 * `refusal.` text, every list a `list.` text.
 */
export const texts = {
  "page.skip-to-content": "Skip to the content",
  "page.language": "Language",
  "page.loading": "Loading…",
  "page.rights": "Your data: get them, have them erased",
  "page.privacy": "Privacy notice",
  "page.terms": "Terms of the offer (new tab)",

  "failure.title": "This page could not be loaded",
  "failure.retry": "Try again",
  "unknown-campaign.title": "This programme does not exist",
  "unknown-campaign.text": "Check the address, or open the link in the e-mail you received.",
  "missing-link.title": "This address is incomplete",
  "missing-link.text": "Please open this page from the link in the e-mail you received.",
  "not-found.title": "This page does not exist",
  "not-found.text": "The address may contain a typo, or the page may have moved.",
  "not-found.home": "Go to the home page",

  "field.email": "E-mail address",
  "field.use-suggestion": "Use {suggestion}",

  "field-error.missing": "Please enter an e-mail address.",
  "field-error.invalid": "This does not look like a valid e-mail address. Please check it.",
  "field-error.probably_mistyped":
    "There may be a typo in this address. If it is correct, send it again as it is.",
  "field-error.no_at_sign": "The @ is missing from this address.",
  "field-error.several_at_signs": "Please enter one address only.",
  "field-error.white_space": "An address contains no spaces. Please enter one address only.",
  "field-error.bad_domain": "The part after the @ does not look right.",
  "field-error.too_long": "This address is too long.",
  "field-error.first-name": "This first name cannot be used. Please enter a first name only.",

  "problem.unreachable":
    "We could not reach the service. Check your connection and try again: nothing has been lost.",
  "problem.unavailable":
    "The service is temporarily unavailable. Try again in a few minutes: nothing has been lost.",
  "problem.too-many": "Too many requests. Please wait a moment and try again.",
  "problem.over-quota": "You have sent all the invitations you can send.",
  "problem.closed": "This programme is not open.",
  "problem.conflict": "This was already sent with different content. Please check and send again.",
  "problem.unexpected": "Something went wrong. Please try again.",

  "landing.page-title": "Referral programme",
  "landing.sign-in-title": "Get your personal link",
  "landing.sign-in-text":
    "Enter the e-mail address of your customer account. There is no password: we e-mail you a " +
    "link that opens your space.",
  "landing.send-link": "Send me my link",
  "landing.use-another-address": "Use another address",
  "landing.how-it-works": "How it works",
  "landing.step-1": "Open your space from the link we e-mail you.",
  "landing.step-2": "Share your personal link, or invite people by e-mail.",
  "landing.step-3": "They accept and order. The vouchers you earn are e-mailed to you.",
  "landing.for-referees": "What the people you invite will read",
  "landing.dates": "From {start} to {end}.",
  "landing.opens-soon.title": "Opening soon",
  "landing.opens-soon.text": "The programme “{title}” opens on {start}.",
  "landing.ended.title": "This programme has ended",
  "landing.ended.text":
    "The programme “{title}” ended on {end}. Thank you to everyone who took part.",
  "landing.paused.title": "This programme is not open",
  "landing.paused.text": "The programme “{title}” is not open at the moment.",
  "sign-in-sent.title": "Check your inbox",
  "sign-in-sent.text":
    "If this address can take part, an e-mail with your link is on its way. It may take a few " +
    "minutes; check your spam folder too. If you asked before and have not used the link, the one " +
    "in our last e-mail still works: we do not send another for some time.",

  "welcome.title": "Welcome",
  "welcome.first-name": "Your first name (optional)",
  "welcome.first-name-hint":
    "The people you invite will see it. Leave it empty to keep the one you gave before.",
  "welcome.open-space": "Open my space",
  "sponsor.page-title": "My referral space",
  "sponsor.sign-in-title": "Sign in",
  "sponsor.sign-in-text": "Enter your address: we e-mail you a link that opens your space.",
  "sponsor.link-expired": "This link has expired or was already used. Ask for a new one here.",
  "sponsor.signed-out": "You are signed out. Ask for a new link to sign in again.",
  "sponsor.greeting": "Hello {name}",
  "sponsor.greeting-without-name": "My space",
  "sponsor.sign-out": "Sign out",

  "sharing.title": "Share your link",
  "sharing.link": "Your personal link",
  "sharing.stopped":
    "Your link is closed: too many e-mails to people who used it did not arrive or were reported as unwanted. Nothing changes for the people you have already invited.",
  "sharing.copy-link": "Copy the link",
  "sharing.copied": "Copied.",
  "sharing.copy-failed":
    "Your browser does not allow copying. The text is selected: please copy it yourself.",
  "sharing.whatsapp": "WhatsApp (new tab)",
  "sharing.share": "Share…",
  "sharing.qr-caption": "Scan with a phone",
  "sharing.qr-alt": "QR code of your personal link",
  "sharing.new-link-hint":
    "Has your link fallen into the wrong hands? Create a new one: the old one then stops working.",
  "sharing.new-link": "Create a new link",
  "sharing.new-link-question":
    "Your current link and its QR code will stop working at once. Nothing changes for the people who have already received their e-mail.",
  "sharing.confirm-new-link": "Yes, create a new link",
  "sharing.keep-link": "Keep my link",
  "sharing.new-link-made": "Here is your new link.",
  "sharing.too-many-new-links":
    "You have already created several links today. You can create another one tomorrow.",
  "sharing.message": "{brand}: {offer} {url}",

  "inviting.title": "Invite by e-mail",
  "inviting.quota": {
    one: "You can invite one more person.",
    other: "You can invite {count} more people.",
  },
  "naming.title": "How shall we sign your invitations?",
  "naming.first-name": "First name",
  "naming.hint": "The people you invite will see it: they want to know who is writing.",
  "naming.save": "Save",
  "inviting.quota-reached": "You have sent all your invitations. Thank you!",
  "inviting.person": "Person {number}",
  "inviting.first-name": "First name (optional)",
  "inviting.remove-person": "Remove person {number}",
  "inviting.add-person": "Add a person",
  "inviting.send": "Send the invitations",
  "inviting.correct-addresses": {
    one: "Nothing was sent: please check the entry marked.",
    other: "Nothing was sent: please check the {count} entries marked.",
  },
  "inviting.too-many": "Too many people at once: please send some first, then the others.",
  "inviting.received": {
    one: "We have received your invitation.",
    other: "We have received your {count} invitations.",
  },

  "invitations.title": "My invitations",
  "invitations.none": "No invitations yet.",
  "invitations.pending": "Pending",
  "invitations.confirmed": "Confirmed",
  "invitations.closed": "Closed",
  "invitations.invited-on": "Invited on {day}",
  "invitations.open-until": "Invited on {day}, open until {end}",

  "vouchers.title": "My vouchers",
  "vouchers.none": "No vouchers yet. The ones you earn will appear here.",
  "vouchers.value": "{value} voucher",
  "vouchers.valid-until": "Valid until {day}",
  "vouchers.preparing": "Being prepared",
  "vouchers.available": "Available",
  "vouchers.redeemed": "Used",
  "vouchers.ended": "No longer valid",
  "vouchers.code": "Code",
  "vouchers.copy-code": "Copy the code",

  "referee.page-title": "An invitation for you",
  "offer.title": "{name} invites you to discover {brand}",
  "offer.title-without-name": "You are invited to discover {brand}",
  "offer.closes-on": "Open until {day}.",
  "offer.terms-intro": "By accepting, you agree to the",
  "offer.terms-link": "terms of the offer, version {version} (new tab)",
  "offer.consent":
    "I would also like to receive news and offers from {brand} by e-mail. (Optional: the offer " +
    "does not depend on it.)",
  "offer.confirm": "I accept",
  "offer.decline": "I decline",
  "offer.terms-changed":
    "The terms have changed since you opened this page. Please read them and confirm again.",
  "decline.title": "Decline this invitation?",
  "decline.text": "Your address will be erased, and the offer can no longer be used.",
  "decline.confirm": "Yes, decline",
  "decline.cancel": "No, go back",
  "confirmed.title": "Thank you, you have accepted",
  "confirmed.text":
    "You will receive your voucher by e-mail as soon as it is ready to use. Depending on the " +
    "programme, this takes from a few minutes to a few days.",
  "news.title": "News by e-mail",
  "news.text": "You have agreed to receive news and offers from {brand} by e-mail.",
  "news.end": "Receive no more news",
  "news.ended": "You will receive no more news. Your vouchers are not affected.",
  "declined.title": "Invitation declined",
  "declined.text":
    "Your address has been erased. You will hear nothing more about this invitation.",
  "ended.title": "This invitation is no longer open",
  "ended.text": "It has expired or was already answered. There is nothing you need to do.",
  "sign-up.text": "Enter your address: we e-mail you a link to confirm it.",
  "sign-up.send": "Receive the offer",
  "sign-up-sent.title": "Check your inbox",
  "sign-up-sent.text":
    "If this address can take part, an e-mail is on its way: open its link to confirm. Check " +
    "your spam folder too.",
  "sign-up-closed.title": "This offer is not available",
  "sign-up-closed.text": "There is nothing you need to do.",
  "sign-up-full.title": "This link takes nobody in at the moment",
  "sign-up-full.text":
    "Please try again tomorrow, or ask the person who shared it with you for a new one.",
  "unknown-link.title": "We do not recognise this link",
  "unknown-link.text":
    "It may be incomplete or out of date. Ask the person who shared it to send it again.",

  "privacy.page-title": "Your data",
  "privacy.title": "Your data",
  "privacy.text":
    "Ask for a copy of the data that the referral programmes of {brand} keep about you, or have them " +
    "erased. We answer by e-mail: nobody else can confirm for you.",
  "privacy.wish": "What would you like?",
  "privacy.wish-export": "Get a copy of my data",
  "privacy.wish-erase": "Have my data erased",
  "privacy.send": "Send my request",
  "privacy.customers":
    "This page is about referrals. For your customer account, write to the address in the brand’s " +
    "privacy notice.",
  "privacy-sent.title": "We have your request",
  "privacy-sent.text":
    "If we keep anything about this address, an e-mail with a link is on its way; otherwise you will " +
    "receive nothing. It may take a few minutes; please check your spam folder too. If you had asked " +
    "before, the link in our last e-mail still works: we will not send another one right away. What " +
    "you entered is erased after a day.",
  "privacy-file.title": "A copy of your data",
  "privacy-file.text":
    "The file has everything that the referral programmes of {brand} keep about {address}. You can " +
    "download it until {until}.",
  "privacy-file.take": "Download my data",
  "privacy-file.take-first": "Download a copy first",
  "privacy-file.preparing":
    "Your file is being prepared. It may take a few minutes: keep this page open, or come back to it " +
    "with the same link.",
  "privacy-file.taken": "Your file is downloaded: {name}.",
  "privacy-erasure.title": "Have your data erased",
  "privacy-erasure.text":
    "This is about everything that the referral programmes of {brand} keep about {address}. It cannot " +
    "be undone. This link is valid until {until}.",
  "privacy-erasure.goes-title": "What is erased",
  "privacy-erasure.goes":
    "Your address, your first name, your space and your personal link, the links in our e-mails, and " +
    "your consent to news. Invitations that nobody answered are closed. Nobody is informed: neither " +
    "those you invited nor the person who invited you.",
  "privacy-erasure.vouchers-title": "Your vouchers",
  "privacy-erasure.vouchers":
    "They stay valid until their last day, for whoever has the code. Write your codes down: we will not " +
    "be able to send them to you again, and you will earn no new ones.",
  "privacy-erasure.stays-title": "What stays",
  "privacy-erasure.stays":
    "What the books require, under a random number that does not say who you are. And a fingerprint of " +
    "your address, which the brand cannot read, so that nobody can have you invited again.",
  "privacy-erasure.files":
    "Files that the brand already has name your address by a fingerprint alone. They go 35 days after " +
    "it loaded them or we wrote them, those that it gave us after 30 days, our backups after 35 days.",
  "privacy-erasure.confirm": "Erase for good",
  "privacy-started.title": "Your data are being erased",
  "privacy-started.text":
    "It takes some minutes, an hour at most. You will receive no other message: we do not have your " +
    "address any more then. When it is done, the link in the e-mail no longer works.",
  "privacy-over.title": "This link no longer works",
  "privacy-over.text":
    "If you confirmed the erasure, it is done. Otherwise the link has expired, or a more recent e-mail " +
    "has another one.",
  "privacy-over.again": "Make a new request",

  "sign-in-stop.page-title": "Links by e-mail",
  "sign-in-stop.title": "You did not ask for this link?",
  "sign-in-stop.text":
    "Somebody may have entered your address by mistake. We can stop sending links like this one to it for 30 days; the one you received then stops working.",
  "sign-in-stop.stop": "Stop sending me these links",
  "sign-in-stop.resume-text": "You stopped them and would like to receive them again?",
  "sign-in-stop.resume": "Send me links again when I ask",
  "sign-in-stopped.title": "Noted",
  "sign-in-stopped.text":
    "We will not send links like this one to this address for 30 days. The button in the same e-mail lets you change your mind.",
  "sign-in-resumed.title": "Noted",
  "sign-in-resumed.text": "We will send you a link when you ask for one.",

  "unsubscribe.page-title": "Unsubscribe",

  "dashboard.title": "Dashboard",
  "dashboard.campaign": "Campaign",
  "dashboard.sign-in": "Sign in",
  "dashboard.sign-in-hint":
    "You sign in on a page of its own, with a second factor, and stay signed in for 12 hours in " +
    "this tab.",
  "dashboard.sign-in-again": "Sign in again",
  "dashboard.sign-in-failed": "You are not signed in: that answer was not for this tab, or too late. Sign in again.",
  "dashboard.session-over": "Your session has ended: these numbers are the last ones received.",
  "dashboard.wall-over":
    "This link shows nothing any more: it has ended or was revoked. These numbers are the last " +
    "ones received.",
  "dashboard.show": "Show",
  "dashboard.other-campaign": "Another campaign",
  "dashboard.sign-out": "Sign out",
  "dashboard.connected": "Campaign {campaign}, version {version}",
  "dashboard.as-of": "As of {moment} ({zone})",
  "dashboard.missing-field": "Please fill in this field.",
  "dashboard.no-role":
    "Your account may not see the dashboard. Ask whoever runs Tandem for the role “marketing”.",
  "dashboard.unknown-campaign": "There is no campaign with that name.",
  "dashboard.stale":
    "The numbers could not be refreshed: these are the last ones received. Trying again every 5 " +
    "seconds.",
  "dashboard.invitations": "Invitations",
  "dashboard.vouchers": "Vouchers and orders",
  "dashboard.held": "Held rewards waiting for a decision: {count}, worth {value}.",
  "dashboard.refusals": "Refused, by reason",
  "dashboard.no-refusals": "None.",
  "dashboard.buyers": "Who ordered",
  "dashboard.no-buyers": "No order reported yet.",
  "dashboard.buyer": "Buyer",
  "dashboard.share-of-orders": "Share of orders",
  "dashboard.by-day": "By day",
  "dashboard.no-days": "Nothing yet.",
  "dashboard.lists": "Lists",
  "dashboard.step": "Step",
  "dashboard.reason": "Reason",
  "dashboard.count": "Count",
  "dashboard.share-of-invited": "% of invited",
  "dashboard.share-of-issued": "% of issued",
  "dashboard.share-of-refused": "% of refused",
  "dashboard.date": "Day",
  "dashboard.list": "List",
  "dashboard.version": "Version",
  "dashboard.rows": "Rows",
  "dashboard.accepted": "Accepted on",
  "dashboard.in-force": "In force",
  "dashboard.yes": "Yes",
  "dashboard.no": "No",
  "dashboard.never": "Never",
  "dashboard.watched": "Exchange with the client",
  "dashboard.watch": "What",
  "dashboard.state": "State",
  "dashboard.since": "Since",
  "dashboard.left": "Left",
  "dashboard.overdue": "Overdue",
  "dashboard.stopped": "Stopped",
  "dashboard.on-time": "On time",
  "watch.acknowledgements": "Oldest export not yet acknowledged",
  "watch.orders": "Last order file",
  "watch.codes": "Own codes",
  "watch.invitations": "Invitations, for bounces or complaints",
  "list.customers": "Customers",
  "list.vips": "VIPs",
  "count.invited": "Invited",
  "count.refused": "Refused",
  "count.sent": "Sent",
  "count.confirmed": "Confirmed",
  "count.declined": "Declined",
  "count.bounced": "Bounced",
  "count.expired": "Expired",
  "count.found_on_later_list": "On a later customer list",
  "count.vouchers_issued": "Vouchers issued",
  "count.vouchers_replaced": "Replacing refused ones",
  "count.vouchers_exported": "Exported",
  "count.vouchers_acknowledged": "Loaded at the tills",
  "count.vouchers_redeemed": "Redeemed",
  "count.orders_kept": "Final orders",
  "count.rewards": "Rewards granted",
  "count.rewards_taken_back": "Rewards revoked",
  "count.rewards_refused": "Rewards refused",
  "buyer.referee": "The referee",
  "buyer.none": "Unknown (no digest given)",
  "buyer.sponsor": "A sponsor",
  "buyer.customer": "An existing customer",
  "buyer.other_referee": "Another referee",
  "buyer.other": "Somebody else",
  "refusal.campaign_closed": "Campaign closed",
  "refusal.role_address": "Shared mailbox (contact@, info@…)",
  "refusal.disposable_address": "Disposable address",
  "refusal.undeliverable_address": "Address we cannot send to",
  "refusal.no_mail_domain": "Domain that takes no mail",
  "refusal.sponsor_in_disguise": "The sponsor’s own mailbox",
  "refusal.already_invited": "Already invited",
  "refusal.opposed": "Unsubscribed",
  "refusal.customer": "Already a customer",
  "refusal.customer_alias": "Already a customer (variant of the address)",
  "refusal.sponsor_left": "The sponsor is no longer a VIP",
  "refusal.became_customer": "Became a customer in the meantime",
  "refusal.too_late": "No usable customer list in time",
  "refusal.erased": "Erased before the decision",
};
