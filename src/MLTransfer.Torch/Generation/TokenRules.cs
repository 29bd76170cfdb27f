using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Torch.Generation;

/// <summary>What a checkpoint says of single tokens, whatever the options of a generation are.</summary>
internal sealed record TokenRules
{
    /// <summary>The only token that may follow a first one that stands alone (<c>forced_bos_token_id</c>); null for any.</summary>
    public int? ForcedFirstId { get; init; }

    /// <summary>The only tokens that may be the last of the most new ones (<c>forced_eos_token_id</c>); empty for any.</summary>
    public int[] ForcedLastIds { get; init; } = [];

    /// <summary>Tokens that are never written (<c>suppress_tokens</c>).</summary>
    public int[] SuppressedIds { get; init; } = [];

    /// <summary>Tokens that are not written first (<c>begin_suppress_tokens</c>).</summary>
    public int[] SuppressedFirstIds { get; init; } = [];

    /// <summary>Runs of tokens that are never written (<c>bad_words_ids</c>).</summary>
    public int[][] ForbiddenRuns { get; init; } = [];

    /// <summary>Reads a <c>config.json</c>.</summary>
    /// <exception cref="InvalidDataException">An entry is malformed.</exception>
    public static TokenRules Read(JsonObject configuration, int vocabularySize)
    {
        var tokens = new ConfiguredTokens(configuration, vocabularySize);
        return new TokenRules
        {
            ForcedFirstId = tokens.Ids("forced_bos_token_id") is [var first, ..] ? first : null,
            ForcedLastIds = tokens.Ids("forced_eos_token_id"),
            SuppressedIds = tokens.Ids("suppress_tokens"),
            SuppressedFirstIds = tokens.Ids("begin_suppress_tokens"),
            ForbiddenRuns = tokens.Sequences("bad_words_ids"),
        };
    }
}
