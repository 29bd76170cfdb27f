namespace MLTransfer.Text.Infilling;

/// <summary>What a made column holds.</summary>
internal enum InfilledColumn
{
    Text,
    Tokens,
    LogProbabilities,
    Candidates,
    CandidateLogProbabilities,
}
