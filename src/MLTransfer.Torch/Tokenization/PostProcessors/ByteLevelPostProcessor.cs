namespace MLTransfer.Torch.Tokenization.PostProcessors;

/// <summary>Takes white space at the ends of tokens out of what they stand for.</summary>
/// <param name="trimsOffsets">Whether it does.</param>
/// <param name="hasPrefixSpace">Whether the first space of the text's first token may be one that was put there.</param>
internal sealed class ByteLevelPostProcessor(bool trimsOffsets, bool hasPrefixSpace) : IPostProcessor
{
    private const char Space = 'Ġ';

    public int CountAdded(bool isPair) => 0;

    public List<EncodedPart> Process(List<EncodedPart> parts, bool addsSpecialTokens)
    {
        if (trimsOffsets)
            Trim(parts, hasPrefixSpace);
        return parts;
    }

    public static void Trim(List<EncodedPart> parts, bool hasPrefixSpace)
    {
        foreach (EncodedPart part in parts.SelectMany(part => part.WithOverflowing))
        {
            for (int i = 0; i < part.Tokens.Count; i++)
                part.Tokens[i] = Trim(part.Text, part.Tokens[i], hasPrefixSpace && (i == 0 || part.Tokens[i].Start == 0));
        }
    }

    private static EncodedToken Trim(string text, EncodedToken token, bool hasPrefixSpace)
    {
        int leading = 0;
        while (leading < token.Token.Length && IsSpace(token.Token[leading]))
            leading++;
        int trailing = 0;
        while (trailing < token.Token.Length && IsSpace(token.Token[^(trailing + 1)]))
            trailing++;

        // More than one space were not put there.
        if (leading == 1 && hasPrefixSpace)
            leading = 0;

        // Characters are counted, whichever they are.
        (int start, int end) = (token.Start, token.End);
        for (; leading > 0 && start < end; leading--)
            start += start + 1 < text.Length && char.IsSurrogatePair(text, start) ? 2 : 1;
        for (; trailing > 0 && start < end; trailing--)
            end -= end >= 2 && end <= text.Length && char.IsSurrogatePair(text, end - 2) ? 2 : 1;
        return token with { Start = start, End = end };
    }

    private static bool IsSpace(char character) => character == Space || char.IsWhiteSpace(character);
}
