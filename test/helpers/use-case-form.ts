/** Anthropic's form on the use of its models, filled in. */
export const USE_CASE_FORM = {
  companyName: "Example",
  companyWebsite: "https://example.com",
  intendedUsers: "0",
  industryOption: "Education",
  otherIndustryOption: "",
  useCases: "Summaries of papers.",
};
