/**
 * The API's bodies as the pages read them, under the names of docs/openapi.json.
 *
 * For the type check alone: nothing here is published. tests/web/test_api_types.py compares each
 * interface with the schema of the same name.
 */

/** A campaign's own text, by language. */
type CampaignTexts = Record<string, string>;

interface SessionRequest {
  token: string;
  first_name?: string;
  stay_signed_in?: boolean;
}

interface InvitationsRequest {
  referees: RefereeRequest[];
  locale?: string;
}

interface PreviewRequest {
  first_name?: string;
  locale?: string;
}

interface PreviewAnswer {
  locale: string;
  sender_name: string;
  sender: string;
  subject: string;
  text: string;
  html: string;
}

interface SharedLinkAnswer {
  campaign: string;
  sponsor: { first_name: string | null };
  open: boolean;
}

interface PictureAnswer {
  path: string;
  width: number;
  height: number;
}

interface LegalAnswer {
  name: string;
  address: string;
  registration: string | null;
}

interface BrandAnswer {
  name: string;
  colour: string;
  contact: string;
  logo: PictureAnswer | null;
  picture: PictureAnswer | null;
  shop_url: string | null;
  support_url: string | null;
  legal: LegalAnswer | null;
}

interface WhenAnswer {
  trigger:
    | "referral_confirmed"
    | "order_placed"
    | "order_kept"
    | "order_returned"
    | "voucher_redeemed";
  order: number | null;
  minimum_amount: string;
}

interface BenefitAnswer {
  value: string;
  minimum_basket: string;
  valid_days: number;
  template: string;
  when: WhenAnswer;
}

interface BenefitsAnswer {
  sponsor: BenefitAnswer[];
  referee: BenefitAnswer[];
}

interface UseAnswer {
  online: string | null;
  shop: boolean;
  symbology: "code128" | "qr" | "ean13" | null;
  how: CampaignTexts;
}

interface ControllerAnswer {
  name: string;
  address: string;
}

interface TermsAnswer {
  version: string;
  url: string;
}

interface PrivacyAnswer {
  url: string;
  summary: CampaignTexts;
}

interface CampaignAnswer {
  campaign: string;
  brand: BrandAnswer;
  title: CampaignTexts;
  offer: CampaignTexts;
  sponsor_offer: CampaignTexts;
  benefits: BenefitsAnswer;
  share: CampaignTexts;
  use: Record<string, UseAnswer>;
  release: "at_once" | "on_acknowledgement";
  acknowledge_within: number;
  channels: string[];
  locales: string[];
  currency: string;
  starts_on: string;
  ends_on: string;
  open: boolean;
  terms: TermsAnswer;
  privacy: PrivacyAnswer | null;
  time_zone: string;
}

interface PrivacyRequestAnswer {
  wish: "export" | "erase";
  state: "open" | "started";
  address: string;
  brand: BrandAnswer;
  ends_at: string;
}

interface SponsorName {
  first_name: string | null;
}

interface OfferAnswer {
  campaign: string;
  controller: ControllerAnswer | null;
  sponsor: SponsorName;
  state: "pending" | "confirmed";
  brand: BrandAnswer;
  offer: CampaignTexts;
  terms: TermsAnswer;
  privacy: PrivacyAnswer | null;
  closes_on: string;
  marketing_consent: boolean;
  vouchers: SponsorVoucher[];
}

interface SessionAnswer {
  session: string;
  expires_at: string;
}

interface LinkAnswer {
  url: string;
  code: string;
  qr_svg: string;
  stopped: boolean;
}

interface QuotaAnswer {
  limit: number;
  per_call: number;
  left: number;
}

interface InvitationAnswer {
  id: string;
  address: string;
  state: "pending" | "confirmed" | "closed";
  invited_at: string;
  closes_on: string;
}

interface SponsorVoucher {
  id: string;
  template: string;
  value: string;
  currency: string;
  minimum_basket: string;
  valid_until: string;
  state: "preparing" | "available" | "redeemed" | "ended";
  code: string | null;
  bar_code_svg: string | null;
  passes: ("apple" | "google")[];
}

interface PassLinkAnswer {
  url: string;
}

interface SponsorAnswer {
  campaign: string;
  first_name: string | null;
  link: LinkAnswer;
  quota: QuotaAnswer;
  invitations: InvitationAnswer[];
  vouchers: SponsorVoucher[];
}

interface RefereeRequest {
  email: string;
  first_name?: string;
  as_typed?: boolean;
}

interface ListAnswer {
  version: number;
  rows: number;
  accepted_at: string | null;
  in_force: boolean;
  max_age_days: number;
  rows_before: number | null;
}

interface WatchAnswer {
  watch: "acknowledgements" | "orders" | "codes" | "invitations";
  overdue: boolean;
  since: string | null;
  template: string | null;
  left: number | null;
}

interface HeldSumAnswer {
  rewards: number;
  value: string;
  currency: string;
}

interface CohortAnswer {
  source: string;
  as_of: string;
  people: number;
  known_days: number;
  curve: { days: number; share: number; low: number; high: number }[];
  compared: {
    p: number | null;
    differences: { days: number; points: number; low: number; high: number }[];
  } | null;
}

interface CampaignLineAnswer {
  campaign: string;
  title: Record<string, string>;
  brand: string;
  country: string;
}

interface CampaignsAnswer {
  campaigns: CampaignLineAnswer[];
}

interface ActAnswer {
  at: string;
  act: string;
  channel: string | null;
}

interface DashboardAnswer {
  campaign: string;
  version: number;
  as_of: string;
  counted_until: string | null;
  lag_s: number;
  time_zone: string;
  currency: string;
  starts_on: string;
  ends_on: string;
  figures: Record<string, number>;
  funnel: Record<string, number>;
  refused_by_reason: Record<string, number>;
  orders_by_buyer: Record<string, number>;
  held_rewards: HeldSumAnswer;
  days: DayCounts[];
  figures_by_day: Record<string, number[]>;
  lists: Record<string, ListAnswer>;
  watched: WatchAnswer[];
  cohorts: CohortAnswer[];
  acts: ActAnswer[];
}

/**
 * The counts of one local day: `date` and a number for each counter; days.js puts the figures of the
 * day beside them.
 */
type DayCounts = Record<string, string | number>;

interface FieldProblemAnswer {
  field: string;
  reason: string;
  suggestion?: string | null;
}

interface Problem {
  type: string;
  title: string;
  status: number;
  errors?: FieldProblemAnswer[] | null;
  suggestion?: string | null;
}
