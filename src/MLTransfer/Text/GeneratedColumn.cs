namespace MLTransfer.Text;

/// <summary>What a generated column holds.</summary>
internal enum GeneratedColumn
{
    Text,
    TokenIds,
    LogProbabilities,
}
