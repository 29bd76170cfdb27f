using System.Text;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Torch.Generation.Infilling;

/// <summary>Puts the texts of filled tokens into the given text.</summary>
internal sealed class TokenText
{
    private readonly TextTokenizer _tokenizer;
    private readonly int? _word; // a token of letters: what others add to it shows how they are written within a text

    public TokenText(TextTokenizer tokenizer)
    {
        _tokenizer = tokenizer;
        foreach (var id in Enumerable.Range(0, tokenizer.VocabularySize))
        {
            if (tokenizer.HasToken(id) && !_tokenizer.SpecialTokenIds.Contains(id) && tokenizer.IdToToken(id).All(char.IsAsciiLetter))
            {
                _word = id;
                break;
            }
        }
    }

    /// <summary>What a token adds to a text: with a space in front where it begins a word.</summary>
    /// <param name="id">The token.</param>
    /// <param name="previous">The token before it; null where there is none.</param>
    public string Of(int id, int? previous = null)
    {
        if ((previous ?? _word) is { } before)
        {
            var alone = _tokenizer.DecodeWithoutCleanup([before]);
            var both = _tokenizer.DecodeWithoutCleanup([before, id]);
            if (both.StartsWith(alone, StringComparison.Ordinal))
                return both[alone.Length..];
        }

        return _tokenizer.DecodeWithoutCleanup([id]);
    }

    /// <summary>The given text with its masks replaced by the tokens that they were filled with.</summary>
    /// <remarks>
    /// A token that goes on within a word is joined to what stands before it; one that begins a word has the space before it that the
    /// given text has, and one of its own between two letters.
    /// </remarks>
    public string InPlace(MaskedText text)
    {
        var result = new StringBuilder();
        var end = 0; // of the given text that is written
        foreach (var position in text.Masks)
        {
            var (start, after) = text.Offsets[position];
            while (start < after && char.IsWhiteSpace(text.Source[start]))
                start++; // a mask token may take white space along
            start = Math.Max(start, end);
            result.Append(text.Source, end, start - end);
            end = Math.Max(after, start);
            Append(result, PieceOf(text, position));
        }

        return result.Append(text.Source, end, text.Source.Length - end).ToString();
    }

    private string PieceOf(MaskedText text, int position)
    {
        int? previous = position > 0 && !_tokenizer.SpecialTokenIds.Contains(text.Ids[position - 1]) ? text.Ids[position - 1] : null;
        var piece = Of(text.Ids[position], previous);
        return previous is null ? " " + piece.TrimStart() : piece;
    }

    private static void Append(StringBuilder result, string piece)
    {
        var begins = piece.Length > 0 && char.IsWhiteSpace(piece[0]);
        var word = piece.TrimStart();
        if (!begins)
        {
            while (result.Length > 0 && char.IsWhiteSpace(result[^1]))
                result.Length--;
        }
        else if (result.Length > 0 && word.Length > 0 && char.IsLetterOrDigit(result[^1]) && char.IsLetterOrDigit(word[0]))
        {
            result.Append(' ');
        }

        result.Append(word);
    }
}
