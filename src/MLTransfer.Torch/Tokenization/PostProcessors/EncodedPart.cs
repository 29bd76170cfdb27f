namespace MLTransfer.Torch.Tokenization.PostProcessors;

/// <summary>Tokens of one text, or of what post-processors made of two, with what is known of each.</summary>
internal sealed class EncodedPart
{
    public List<EncodedToken> Tokens { get; init; } = [];

    /// <summary>The text that the tokens are of, if they are of one.</summary>
    public string Text { get; init; } = "";

    /// <summary>Parts that did not fit, where the text was cut.</summary>
    public List<EncodedPart> Overflowing { get; init; } = [];

    /// <summary>This part and those that did not fit.</summary>
    public IEnumerable<EncodedPart> WithOverflowing => Overflowing.Prepend(this);

    /// <summary>Special tokens that belong to no text.</summary>
    public static EncodedPart SpecialTokens(IEnumerable<(int Id, string Token)> tokens, int typeId) => new()
    {
        Tokens = [.. tokens.Select(token => new EncodedToken(token.Id, token.Token, 0, 0, typeId, null, IsSpecial: true))],
    };

    /// <summary>Gives all tokens, of the parts that did not fit too, a type.</summary>
    public void SetType(int typeId) => Change(token => token with { TypeId = typeId });

    /// <summary>Says of all tokens which text they are of.</summary>
    public void SetSequence(int sequence) => Change(token => token with { Sequence = sequence });

    public void Change(Func<EncodedToken, EncodedToken> change)
    {
        foreach (EncodedPart part in WithOverflowing)
        {
            for (int i = 0; i < part.Tokens.Count; i++)
                part.Tokens[i] = change(part.Tokens[i]);
        }
    }

    /// <summary>Puts special tokens around the part and each that did not fit.</summary>
    public EncodedPart Around(IReadOnlyList<EncodedToken> before, IReadOnlyList<EncodedToken> after) => new()
    {
        Text = Text,
        Tokens = [.. before, .. Tokens, .. after],
        Overflowing = [.. Overflowing.Select(part => part.Around(before, after))],
    };

    /// <summary>Joins parts; what did not fit is joined with every way that the others were cut.</summary>
    public static EncodedPart Join(IEnumerable<EncodedPart> parts)
    {
        EncodedPart? joined = null;
        foreach (EncodedPart part in parts)
        {
            if (joined is null)
            {
                joined = new EncodedPart { Tokens = [.. part.Tokens], Overflowing = [.. part.Overflowing] };
                continue;
            }

            var overflowing = new List<EncodedPart>();
            foreach (EncodedPart left in joined.Overflowing)
                overflowing.AddRange(part.WithOverflowing.Select(right => Concatenate(left, right)));
            overflowing.AddRange(part.Overflowing.Select(right => Concatenate(joined, right)));
            joined = new EncodedPart { Tokens = [.. joined.Tokens, .. part.Tokens], Overflowing = overflowing };
        }

        return joined ?? new EncodedPart();
    }

    public TextEncoding ToEncoding() => new()
    {
        Ids = [.. Tokens.Select(token => token.Id)],
        Tokens = [.. Tokens.Select(token => token.Token)],
        Offsets = [.. Tokens.Select(token => (token.Start, token.End))],
        TypeIds = [.. Tokens.Select(token => token.TypeId)],
        SpecialTokensMask = [.. Tokens.Select(token => token.IsSpecial ? 1 : 0)],
        AttentionMask = [.. Tokens.Select(token => token.IsPadding ? 0 : 1)],
        SequenceIds = [.. Tokens.Select(token => token.Sequence)],
        Overflowing = [.. Overflowing.Select(part => part.ToEncoding())],
    };

    private static EncodedPart Concatenate(EncodedPart left, EncodedPart right) => new() { Tokens = [.. left.Tokens, .. right.Tokens] };
}

/// <summary>A token and what is known of it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Token">Its text as the vocabulary, or for an added token the text itself, writes it.</param>
/// <param name="Start">Its first UTF-16 unit in the text.</param>
/// <param name="End">One past its last.</param>
/// <param name="TypeId">Its token type.</param>
/// <param name="Sequence">The text that it is of, 0 or 1, or null.</param>
/// <param name="IsSpecial">Whether a post-processor or the padding added it.</param>
/// <param name="IsPadding">Whether it is padding.</param>
internal readonly record struct EncodedToken(
    int Id, string Token, int Start, int End, int TypeId, int? Sequence, bool IsSpecial, bool IsPadding = false);
