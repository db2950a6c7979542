/** The texts of the pages in French; see en.js. Ordinary spaces before : ; ! ? become no-break. */
export const texts = {
  "page.skip-to-content": "Aller au contenu",
  "page.language": "Langue",
  "page.loading": "Chargement…",
  "page.rights": "Vos données : les recevoir, les faire effacer",
  "page.privacy": "Politique de confidentialité",
  "page.terms": "Conditions de l’offre (nouvel onglet)",

  "failure.title": "La page n’a pas pu être chargée",
  "failure.retry": "Réessayer",
  "unknown-campaign.title": "Ce programme n’existe pas",
  "unknown-campaign.text": "Vérifiez l’adresse, ou ouvrez le lien de l’e-mail que vous avez reçu.",
  "missing-link.title": "Cette adresse est incomplète",
  "missing-link.text": "Ouvrez cette page depuis le lien de l’e-mail que vous avez reçu.",
  "not-found.title": "Cette page n’existe pas",
  "not-found.text": "L’adresse contient peut-être une erreur, ou la page a été déplacée.",
  "not-found.home": "Aller à l’accueil",

  "field.email": "Adresse e-mail",
  "field.use-suggestion": "Utiliser {suggestion}",

  "field-error.missing": "Indiquez une adresse e-mail.",
  "field-error.invalid": "Cette adresse ne semble pas valide. Vérifiez-la.",
  "field-error.probably_mistyped":
    "Il y a peut-être une faute de frappe dans cette adresse. Si elle est juste, renvoyez-la " +
    "telle quelle.",
  "field-error.no_at_sign": "Il manque le @ dans cette adresse.",
  "field-error.several_at_signs": "Indiquez une seule adresse.",
  "field-error.white_space": "Une adresse ne contient pas d’espaces. Indiquez une seule adresse.",
  "field-error.bad_domain": "La partie après le @ ne semble pas correcte.",
  "field-error.too_long": "Cette adresse est trop longue.",
  "field-error.first-name":
    "Ce prénom ne peut pas être utilisé. Indiquez un prénom, sans rien d’autre.",

  "problem.unreachable":
    "Le service ne répond pas. Vérifiez votre connexion et réessayez : rien n’est perdu.",
  "problem.unavailable":
    "Le service est momentanément indisponible. Réessayez dans quelques minutes : rien n’est " +
    "perdu.",
  "problem.too-many": "Trop de demandes. Patientez un instant et réessayez.",
  "problem.over-quota": "Vous avez envoyé toutes les invitations possibles.",
  "problem.closed": "Ce programme n’est pas ouvert.",
  "problem.conflict":
    "Cet envoi a déjà été fait avec un contenu différent. Vérifiez-le et renvoyez-le.",
  "problem.unexpected": "Une erreur s’est produite. Réessayez.",

  "landing.page-title": "Programme de parrainage",
  "landing.sign-in-title": "Recevez votre lien personnel",
  "landing.sign-in-text":
    "Indiquez l’adresse e-mail de votre compte client. Pas de mot de passe : vous recevez un " +
    "e-mail avec un lien qui ouvre votre espace.",
  "landing.send-link": "Recevoir mon lien",
  "landing.use-another-address": "Utiliser une autre adresse",
  "landing.how-it-works": "Comment ça marche",
  "landing.step-1": "Ouvrez votre espace depuis le lien reçu par e-mail.",
  "landing.step-2": "Partagez votre lien personnel, ou invitez vos proches par e-mail.",
  "landing.step-3":
    "Ils acceptent et commandent. Vous recevez par e-mail les bons d’achat que vous gagnez.",
  "landing.for-referees": "Ce que liront vos filleuls",
  "landing.dates": "Du {start} au {end}.",
  "landing.opens-soon.title": "Bientôt disponible",
  "landing.opens-soon.text": "Le programme « {title} » ouvre le {start}.",
  "landing.ended.title": "Ce programme est terminé",
  "landing.ended.text":
    "Le programme « {title} » s’est terminé le {end}. Merci à toutes celles et à tous ceux qui " +
    "y ont participé.",
  "landing.paused.title": "Ce programme n’est pas ouvert",
  "landing.paused.text": "Le programme « {title} » n’est pas ouvert pour le moment.",
  "sign-in-sent.title": "Consultez votre boîte de réception",
  "sign-in-sent.text":
    "Si cette adresse peut participer, un e-mail avec votre lien est en route. Cela peut prendre " +
    "quelques minutes ; vérifiez aussi vos courriers indésirables. Si vous aviez déjà demandé un lien " +
    "sans l’utiliser, celui de notre dernier e-mail fonctionne encore : nous n’en envoyons pas " +
    "d’autre dans l’immédiat.",

  "welcome.title": "Bienvenue",
  "welcome.first-name": "Votre prénom (facultatif)",
  "welcome.first-name-hint":
    "Les personnes que vous invitez le verront. Laissez vide pour garder celui déjà indiqué.",
  "welcome.open-space": "Ouvrir mon espace",
  "sponsor.page-title": "Mon espace parrainage",
  "sponsor.sign-in-title": "Connexion",
  "sponsor.sign-in-text":
    "Indiquez votre adresse : vous recevez un e-mail avec un lien qui ouvre votre espace.",
  "sponsor.link-expired": "Ce lien a expiré ou a déjà servi. Demandez-en un nouveau ici.",
  "sponsor.signed-out":
    "Votre session est terminée. Demandez un nouveau lien pour vous reconnecter.",
  "sponsor.greeting": "Bonjour {name}",
  "sponsor.greeting-without-name": "Mon espace",
  "sponsor.sign-out": "Me déconnecter",

  "sharing.title": "Partagez votre lien",
  "sharing.link": "Votre lien personnel",
  "sharing.stopped":
    "Votre lien est fermé : trop d’e-mails envoyés aux personnes qui l’ont utilisé ne sont pas arrivés ou ont été signalés comme indésirables. Rien ne change pour les personnes que vous avez déjà invitées.",
  "sharing.copy-link": "Copier le lien",
  "sharing.copied": "Copié.",
  "sharing.copy-failed":
    "Votre navigateur ne permet pas la copie. Le texte est sélectionné : copiez-le vous-même.",
  "sharing.whatsapp": "WhatsApp (nouvel onglet)",
  "sharing.share": "Partager…",
  "sharing.qr-caption": "À scanner avec un téléphone",
  "sharing.qr-alt": "QR code de votre lien personnel",
  "sharing.new-link-hint":
    "Votre lien est tombé entre de mauvaises mains ? Créez-en un nouveau : l’ancien ne fonctionnera plus.",
  "sharing.new-link": "Créer un nouveau lien",
  "sharing.new-link-question":
    "Votre lien actuel et son QR code cesseront aussitôt de fonctionner. Rien ne change pour les personnes qui ont déjà reçu leur e-mail.",
  "sharing.confirm-new-link": "Oui, créer un nouveau lien",
  "sharing.keep-link": "Garder mon lien",
  "sharing.new-link-made": "Voici votre nouveau lien.",
  "sharing.too-many-new-links":
    "Vous avez déjà créé plusieurs liens aujourd’hui. Vous pourrez en créer un autre demain.",
  "sharing.message": "{brand} : {offer} {url}",

  "inviting.title": "Invitez par e-mail",
  "inviting.quota": {
    one: "Vous pouvez encore inviter une personne.",
    other: "Vous pouvez encore inviter {count} personnes.",
  },
  "naming.title": "Comment signer vos invitations ?",
  "naming.first-name": "Prénom",
  "naming.hint": "Vos proches le verront : ils aiment savoir qui les invite.",
  "naming.save": "Enregistrer",
  "inviting.quota-reached": "Vous avez envoyé toutes vos invitations. Merci !",
  "inviting.person": "Personne {number}",
  "inviting.first-name": "Prénom (facultatif)",
  "inviting.remove-person": "Retirer la personne {number}",
  "inviting.add-person": "Ajouter une personne",
  "inviting.send": "Envoyer les invitations",
  "inviting.correct-addresses": {
    one: "Rien n’a été envoyé : vérifiez la saisie signalée.",
    other: "Rien n’a été envoyé : vérifiez les {count} saisies signalées.",
  },
  "inviting.too-many":
    "Trop de personnes à la fois : envoyez d’abord une partie, puis les autres.",
  "inviting.received": {
    one: "Votre invitation est bien enregistrée.",
    other: "Vos {count} invitations sont bien enregistrées.",
  },

  "invitations.title": "Mes invitations",
  "invitations.none": "Aucune invitation pour le moment.",
  "invitations.pending": "En attente",
  "invitations.confirmed": "Confirmée",
  "invitations.closed": "Terminée",
  "invitations.invited-on": "Invitation du {day}",
  "invitations.open-until": "Invitation du {day}, ouverte jusqu’au {end}",

  "vouchers.title": "Mes bons d’achat",
  "vouchers.none": "Aucun bon d’achat pour le moment. Ceux que vous gagnez apparaîtront ici.",
  "vouchers.value": "Bon d’achat de {value}",
  "vouchers.valid-until": "Valable jusqu’au {day}",
  "vouchers.preparing": "En préparation",
  "vouchers.available": "Disponible",
  "vouchers.redeemed": "Utilisé",
  "vouchers.ended": "Plus valable",
  "vouchers.code": "Code",
  "vouchers.copy-code": "Copier le code",

  "referee.page-title": "Une invitation pour vous",
  "offer.title": "{name} vous invite à découvrir {brand}",
  "offer.title-without-name": "Une invitation à découvrir {brand}",
  "offer.closes-on": "Offre ouverte jusqu’au {day}.",
  "offer.terms-intro": "Si vous acceptez, s’appliqueront les",
  "offer.terms-link": "conditions de l’offre, version {version} (nouvel onglet)",
  "offer.consent":
    "Je souhaite aussi recevoir par e-mail les actualités et les offres de {brand}. " +
    "(Facultatif : sans effet sur l’offre.)",
  "offer.confirm": "J’accepte",
  "offer.decline": "Je refuse",
  "offer.terms-changed":
    "Les conditions ont changé depuis l’ouverture de cette page. Lisez-les et acceptez de nouveau.",
  "decline.title": "Refuser cette invitation ?",
  "decline.text": "Votre adresse sera effacée et l’offre ne pourra plus être utilisée.",
  "decline.confirm": "Oui, refuser",
  "decline.cancel": "Non, revenir",
  "confirmed.title": "Merci d’avoir accepté",
  "confirmed.text":
    "Vous recevrez votre bon d’achat par e-mail dès qu’il pourra être utilisé. Selon le " +
    "programme, cela prend de quelques minutes à quelques jours.",
  "news.title": "Actualités par e-mail",
  "news.text": "Vous avez accepté de recevoir par e-mail les actualités et les offres de {brand}.",
  "news.end": "Ne plus recevoir d’actualités",
  "news.ended": "Vous ne recevrez plus d’actualités. Vos bons d’achat ne changent pas.",
  "declined.title": "Invitation refusée",
  "declined.text":
    "Votre adresse a été effacée. Vous n’entendrez plus parler de cette invitation.",
  "ended.title": "Cette invitation n’est plus ouverte",
  "ended.text": "Elle a expiré ou a déjà reçu une réponse. Vous n’avez rien à faire.",
  "sign-up.text":
    "Indiquez votre adresse : vous recevez un e-mail avec un lien pour la confirmer.",
  "sign-up.send": "Recevoir l’offre",
  "sign-up-sent.title": "Consultez votre boîte de réception",
  "sign-up-sent.text":
    "Si cette adresse peut participer, un e-mail est en route : ouvrez son lien pour confirmer. " +
    "Vérifiez aussi vos courriers indésirables.",
  "sign-up-closed.title": "Cette offre n’est pas disponible",
  "sign-up-closed.text": "Vous n’avez rien à faire.",
  "sign-up-full.title": "Ce lien n’accepte plus personne pour le moment",
  "sign-up-full.text":
    "Réessayez demain, ou demandez un nouveau lien à la personne qui l’a partagé avec vous.",
  "unknown-link.title": "Ce lien n’est pas reconnu",
  "unknown-link.text":
    "Il est peut-être incomplet ou périmé. Demandez à la personne qui l’a partagé de le renvoyer.",

  "privacy.page-title": "Vos données",
  "privacy.title": "Vos données",
  "privacy.text":
    "Demandez une copie des données que les programmes de parrainage de {brand} conservent à votre " +
    "sujet, ou leur effacement. Nous vous répondons par e-mail : personne ne peut confirmer à votre place.",
  "privacy.wish": "Que souhaitez-vous ?",
  "privacy.wish-export": "Recevoir une copie de mes données",
  "privacy.wish-erase": "Faire effacer mes données",
  "privacy.send": "Envoyer ma demande",
  "privacy.customers":
    "Cette page concerne le parrainage. Pour votre compte client, écrivez à l’adresse indiquée dans " +
    "la politique de confidentialité de l’enseigne.",
  "privacy-sent.title": "Votre demande est prise en compte",
  "privacy-sent.text":
    "Si nous conservons des données liées à cette adresse, un e-mail avec un lien est en route ; " +
    "sinon, vous ne recevrez rien. Cela peut prendre quelques minutes ; vérifiez aussi vos " +
    "courriers indésirables. Si vous aviez déjà fait une demande, le lien de notre dernier e-mail " +
    "fonctionne encore : nous n’en envoyons pas d’autre dans l’immédiat. L’adresse saisie est effacée " +
    "au bout d’un jour.",
  "privacy-file.title": "Une copie de vos données",
  "privacy-file.text":
    "Le fichier contient tout ce que les programmes de parrainage de {brand} conservent au sujet de " +
    "{address}. Vous pouvez le télécharger jusqu’au {until}.",
  "privacy-file.take": "Télécharger mes données",
  "privacy-file.take-first": "Télécharger d’abord une copie",
  "privacy-file.preparing":
    "Votre fichier se prépare. Cela peut prendre quelques minutes : laissez cette page ouverte, ou " +
    "revenez-y avec le même lien.",
  "privacy-file.taken": "Votre fichier est téléchargé : {name}.",
  "privacy-erasure.title": "Faire effacer vos données",
  "privacy-erasure.text":
    "Il s’agit de tout ce que les programmes de parrainage de {brand} conservent au sujet de {address}. " +
    "L’effacement est définitif. Ce lien est valable jusqu’au {until}.",
  "privacy-erasure.goes-title": "Ce qui est effacé",
  "privacy-erasure.goes":
    "Votre adresse, votre prénom, votre espace et votre lien de parrainage, vos liens reçus par " +
    "e-mail et votre accord pour recevoir des actualités. Vos invitations sans réponse sont closes. " +
    "Nous n’en informons personne : ni les personnes que vous avez invitées, ni celle qui vous a invité.",
  "privacy-erasure.vouchers-title": "Vos bons d’achat",
  "privacy-erasure.vouchers":
    "Ils restent valables jusqu’à leur date de fin, pour qui en a le code. Notez vos codes : nous ne " +
    "pourrons plus vous les renvoyer, et vous ne gagnerez pas de nouveaux bons.",
  "privacy-erasure.stays-title": "Ce qui reste",
  "privacy-erasure.stays":
    "Ce que la comptabilité exige, sous un numéro tiré au hasard qui ne dit pas qui vous êtes. Et une " +
    "empreinte de votre adresse, illisible pour l’enseigne, pour que personne ne puisse vous inviter " +
    "à nouveau.",
  "privacy-erasure.files":
    "Les fichiers déjà remis à l’enseigne ne désignent votre adresse que par une empreinte. Ils " +
    "disparaissent 35 jours après qu’elle les a chargés ou que nous les avons écrits, ceux qu’elle " +
    "nous a remis après 30 jours, nos sauvegardes après 35 jours.",
  "privacy-erasure.confirm": "Effacer définitivement",
  "privacy-started.title": "L’effacement est en cours",
  "privacy-started.text":
    "Il prend quelques minutes, une heure au plus. Vous ne recevrez pas d’autre message : nous n’avons " +
    "plus votre adresse ensuite. Une fois l’effacement terminé, le lien de l’e-mail ne fonctionne plus.",
  "privacy-over.title": "Ce lien n’est plus valable",
  "privacy-over.text":
    "Si vous avez confirmé l’effacement, il est fait. Sinon, le lien a expiré ou a été remplacé par " +
    "celui d’un e-mail plus récent.",
  "privacy-over.again": "Faire une nouvelle demande",

  "sign-in-stop.page-title": "Liens par e-mail",
  "sign-in-stop.title": "Vous n’avez pas demandé ce lien ?",
  "sign-in-stop.text":
    "Quelqu’un a peut-être saisi votre adresse par erreur. Nous pouvons cesser d’y envoyer des liens comme celui-ci pendant 30 jours ; celui que vous avez reçu ne fonctionnera plus.",
  "sign-in-stop.stop": "Ne plus m’envoyer ces liens",
  "sign-in-stop.resume-text": "Vous aviez arrêté ces envois et avez changé d’avis ?",
  "sign-in-stop.resume": "Recevoir à nouveau des liens",
  "sign-in-stopped.title": "C’est noté",
  "sign-in-stopped.text":
    "Nous n’enverrons plus de lien comme celui-ci à cette adresse pendant 30 jours. Le bouton du même e-mail vous permet de changer d’avis.",
  "sign-in-resumed.title": "C’est noté",
  "sign-in-resumed.text": "Nous vous enverrons un lien quand vous en demanderez un.",

  "unsubscribe.page-title": "Désinscription",

  "dashboard.title": "Tableau de bord",
  "dashboard.campaign": "Campagne",
  "dashboard.sign-in": "Se connecter",
  "dashboard.sign-in-hint":
    "La connexion se fait sur une page dédiée, avec un second facteur. Elle reste active 12 heures " +
    "dans cet onglet.",
  "dashboard.sign-in-again": "Se reconnecter",
  "dashboard.sign-in-failed":
    "La connexion n’a pas abouti : la réponse ne correspond pas à cet onglet ou arrive trop tard. " +
    "Reconnectez-vous.",
  "dashboard.session-over": "Session terminée : ces chiffres sont les derniers reçus.",
  "dashboard.wall-over":
    "Ce lien d’affichage n’est plus valable : il a expiré ou a été désactivé. Ces chiffres sont les " +
    "derniers reçus.",
  "dashboard.show": "Afficher",
  "dashboard.other-campaign": "Autre campagne",
  "dashboard.sign-out": "Se déconnecter",
  "dashboard.connected": "Campagne {campaign}, version {version}",
  "dashboard.as-of": "État au {moment} ({zone})",
  "dashboard.missing-field": "Remplissez ce champ.",
  "dashboard.no-role":
    "Votre compte n’a pas accès au tableau de bord. Demandez le rôle « marketing » à l’équipe qui " +
    "exploite Tandem.",
  "dashboard.unknown-campaign": "Aucune campagne ne porte ce nom.",
  "dashboard.stale":
    "Actualisation impossible : ces chiffres sont les derniers reçus. Nouvel essai toutes les 5 " +
    "secondes.",
  "dashboard.invitations": "Invitations",
  "dashboard.vouchers": "Bons d’achat et commandes",
  "dashboard.held": "Récompenses retenues en attente de décision : {count}, soit {value}.",
  "dashboard.refusals": "Refus par motif",
  "dashboard.no-refusals": "Aucun.",
  "dashboard.buyers": "Qui a commandé",
  "dashboard.no-buyers": "Aucune commande déclarée pour le moment.",
  "dashboard.buyer": "Acheteur",
  "dashboard.share-of-orders": "Part des commandes",
  "dashboard.by-day": "Par jour",
  "dashboard.no-days": "Rien pour le moment.",
  "dashboard.lists": "Listes",
  "dashboard.step": "Étape",
  "dashboard.reason": "Motif",
  "dashboard.count": "Nombre",
  "dashboard.share-of-invited": "% des enregistrées",
  "dashboard.share-of-issued": "% des émis",
  "dashboard.share-of-refused": "% des refus",
  "dashboard.date": "Jour",
  "dashboard.list": "Liste",
  "dashboard.version": "Version",
  "dashboard.rows": "Lignes",
  "dashboard.accepted": "Acceptée le",
  "dashboard.in-force": "En vigueur",
  "dashboard.yes": "Oui",
  "dashboard.no": "Non",
  "dashboard.never": "Jamais",
  "dashboard.watched": "Échanges avec le client",
  "dashboard.watch": "Quoi",
  "dashboard.state": "État",
  "dashboard.since": "Depuis",
  "dashboard.left": "Reste",
  "dashboard.overdue": "En retard",
  "dashboard.stopped": "Arrêtées",
  "dashboard.on-time": "À l’heure",
  "watch.acknowledgements": "Plus ancien export sans acquittement",
  "watch.orders": "Dernier fichier de commandes",
  "watch.codes": "Codes du client",
  "watch.invitations": "Invitations, pour rejets ou plaintes",
  "list.customers": "Clients",
  "list.vips": "VIP",
  "count.invited": "Enregistrées",
  "count.refused": "Refusées",
  "count.sent": "Envoyées",
  "count.confirmed": "Confirmées",
  "count.declined": "Déclinées",
  "count.bounced": "Non distribuées",
  "count.expired": "Expirées",
  "count.found_on_later_list": "Devenus clients ensuite",
  "count.vouchers_issued": "Bons émis",
  "count.vouchers_replaced": "En remplacement de bons rejetés",
  "count.vouchers_exported": "Exportés",
  "count.vouchers_acknowledged": "Chargés en caisse",
  "count.vouchers_redeemed": "Utilisés",
  "count.orders_kept": "Commandes définitives",
  "count.rewards": "Récompenses accordées",
  "count.rewards_taken_back": "Récompenses annulées",
  "count.rewards_refused": "Récompenses refusées",
  "buyer.referee": "Le filleul",
  "buyer.none": "Inconnu (sans empreinte)",
  "buyer.sponsor": "Un parrain",
  "buyer.customer": "Un client déjà connu",
  "buyer.other_referee": "Un autre filleul",
  "buyer.other": "Quelqu’un d’autre",
  "refusal.campaign_closed": "Campagne fermée",
  "refusal.role_address": "Adresse générique (contact@, info@…)",
  "refusal.disposable_address": "Adresse jetable",
  "refusal.undeliverable_address": "Adresse injoignable",
  "refusal.no_mail_domain": "Domaine qui ne reçoit pas d’e-mails",
  "refusal.sponsor_in_disguise": "Boîte du parrain lui-même",
  "refusal.already_invited": "Déjà invité",
  "refusal.opposed": "Désinscrit",
  "refusal.customer": "Déjà client",
  "refusal.customer_alias": "Déjà client (variante de l’adresse)",
  "refusal.sponsor_left": "Le parrain n’est plus VIP",
  "refusal.became_customer": "Devenu client entre-temps",
  "refusal.too_late": "Pas de liste clients exploitable à temps",
  "refusal.erased": "Données effacées avant la décision",
};
