using System.Collections.Immutable;

namespace MLTransfer.Torch.Tokenization.PostProcessors;

/// <summary>Texts and special tokens in an order that the file gives, for one text and for two.</summary>
internal sealed class TemplateProcessor(ImmutableArray<TemplatePiece> single, ImmutableArray<TemplatePiece> pair) : IPostProcessor
{
    public int CountAdded(bool isPair) => (isPair ? pair : single).Sum(piece => piece.SpecialTokens.Length);

    public List<EncodedPart> Process(List<EncodedPart> parts, bool addsSpecialTokens)
    {
        var processed = new List<EncodedPart>();
        foreach (TemplatePiece piece in parts.Count == 1 ? single : pair)
        {
            if (piece.Sequence is int sequence)
            {
                EncodedPart part = Copy(parts[sequence]);
                part.SetType(piece.TypeId);
                part.SetSequence(sequence);
                processed.Add(part);
            }
            else if (addsSpecialTokens)
            {
                processed.Add(EncodedPart.SpecialTokens(piece.SpecialTokens, piece.TypeId));
            }
        }

        return processed;
    }

    private static EncodedPart Copy(EncodedPart part) => new()
    {
        Text = part.Text,
        Tokens = [.. part.Tokens],
        Overflowing = [.. part.Overflowing.Select(Copy)],
    };
}

/// <summary>A text, or special tokens.</summary>
/// <param name="Sequence">Which text, 0 or 1; null for special tokens.</param>
/// <param name="SpecialTokens">The special tokens.</param>
/// <param name="TypeId">The token type.</param>
internal sealed record TemplatePiece(int? Sequence, ImmutableArray<(int Id, string Token)> SpecialTokens, int TypeId)
{
    public static TemplatePiece Text(int sequence, int typeId) => new(sequence, [], typeId);

    public static TemplatePiece Special((int Id, string Token) token, int typeId) => new(null, [token], typeId);
}
