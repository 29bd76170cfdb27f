namespace MLTransfer.Torch.Tokenization.PostProcessors;

/// <summary>
/// BERT's or RoBERTa's special tokens: a class token before the first text and a separator after each; RoBERTa has a separator before
/// the second text too.
/// </summary>
internal sealed class PairProcessor : IPostProcessor
{
    /// <summary>The token before the first text.</summary>
    public required (int Id, string Token) Class { get; init; }

    /// <summary>The token after each text.</summary>
    public required (int Id, string Token) Separator { get; init; }

    /// <summary>Two separators between the texts, and one token type for both.</summary>
    public required bool IsRoberta { get; init; }

    /// <summary>White space at the ends of tokens is taken out of what they stand for.</summary>
    public bool TrimsOffsets { get; init; }

    /// <summary>The first space of the text's first token may be one that was put there.</summary>
    public bool HasPrefixSpace { get; init; }

    public int CountAdded(bool isPair) => !isPair ? 2 : IsRoberta ? 4 : 3;

    public List<EncodedPart> Process(List<EncodedPart> parts, bool addsSpecialTokens)
    {
        if (TrimsOffsets)
            ByteLevelPostProcessor.Trim(parts, HasPrefixSpace);
        var processed = new List<EncodedPart>();
        for (int i = 0; i < parts.Count; i++)
        {
            int type = IsRoberta ? 0 : Math.Min(i, 1);
            if (addsSpecialTokens || IsRoberta)
                parts[i].SetType(type);
            processed.Add(!addsSpecialTokens ? parts[i]
                : i == 0 ? parts[i].Around(One(Class, type), One(Separator, type))
                : parts[i].Around(IsRoberta ? One(Separator, type) : [], One(Separator, type)));
        }

        return processed;
    }

    private static List<EncodedToken> One((int, string) token, int type) => EncodedPart.SpecialTokens([token], type).Tokens;
}
