using MLTransfer.Torch.Tokenization.Models;
using MLTransfer.Torch.Tokenization.Normalizers;
using MLTransfer.Torch.Tokenization.PostProcessors;
using MLTransfer.Torch.Tokenization.PreTokenizers;
using MLTransfer.Torch.Tokenization.Texts;

namespace MLTransfer.Torch.Tokenization;

/// <summary>The stages that make tokens of a text, and the added tokens between them.</summary>
internal sealed class TokenizerPipeline
{
    private readonly INormalizer? _normalizer;
    private readonly IPreTokenizer? _preTokenizer;
    private readonly ITokenModel _model;
    private readonly TokenVocabulary _vocabulary;
    private readonly AddedTokenMatcher? _rawTextTokens;
    private readonly AddedTokenMatcher? _normalizedTextTokens;
    private readonly bool _needsSpans;
    private readonly bool _cutsWords;

    /// <param name="description">The stages.</param>
    /// <param name="vocabulary">All tokens, the added ones too.</param>
    /// <param name="added">The added tokens by text.</param>
    public TokenizerPipeline(
        TokenizerDescription description, TokenVocabulary vocabulary, Dictionary<string, (AddedToken Token, int Id)> added)
    {
        _normalizer = description.Normalizer;
        (_model, _preTokenizer) = description.Build();
        _vocabulary = vocabulary;
        _rawTextTokens = AddedTokenMatcher.Create(added.Where(entry => !entry.Value.Token.Normalized)
            .ToDictionary(entry => entry.Key, entry => entry.Value, StringComparer.Ordinal));
        _normalizedTextTokens = AddedTokenMatcher.Create(added.Where(entry => entry.Value.Token.Normalized)
            .Select(entry => (Text: Normalize(entry.Key), entry.Value)).Where(entry => entry.Text.Length > 0)
            .DistinctBy(entry => entry.Text)
            .ToDictionary(entry => entry.Text, entry => entry.Value, StringComparer.Ordinal));

        _cutsWords = _normalizer is null
            && _preTokenizer is ByteLevelPreTokenizer { AddsPrefixSpace: false, SplitsWords: true, WritesBytes: false };

        // Whether a piece begins the text can be told without spans only before anything was changed.
        _needsSpans = _preTokenizer is PreTokenizerSequence sequence && sequence.Parts.Any(IsFirstOnly)
            || _normalizer is not null && _preTokenizer is not null && IsFirstOnly(_preTokenizer);
    }

    public ITokenModel Model => _model;

    /// <summary>The ids of a text's tokens.</summary>
    public void Encode(string text, bool splitsSpecial, TokenBuffer tokens)
    {
        ReadOnlySpan<char> units = Valid(text);
        foreach (AddedTokenMatcher.Pieces piece in AddedTokenMatcher.Split(_rawTextTokens, units, splitsSpecial))
        {
            if (piece.Id >= 0)
                tokens.Ids.Add(piece.Id);
            else if (_cutsWords)
                EncodeWords(units[piece.Start..piece.End], splitsSpecial, tokens);
            else
                EncodeSection(new AlignedText(units[piece.Start..piece.End], piece.Start, _needsSpans), splitsSpecial, tokens, null);
        }
    }

    /// <summary>The tokens of a text with all that is known of them.</summary>
    public EncodedPart EncodePart(string text, int sequence, bool splitsSpecial)
    {
        var part = new EncodedPart { Text = text };
        ReadOnlySpan<char> units = Valid(text);
        var tokens = new TokenBuffer(16, keepsUnits: true);
        foreach (AddedTokenMatcher.Pieces piece in AddedTokenMatcher.Split(_rawTextTokens, units, splitsSpecial))
        {
            if (piece.Id >= 0)
                part.Tokens.Add(Token(piece.Id, units[piece.Start..piece.End].ToString(), piece.Start, piece.End));
            else
                EncodeSection(new AlignedText(units[piece.Start..piece.End], piece.Start, isTracked: true), splitsSpecial, tokens, part);
        }

        part.SetType(sequence);
        part.SetSequence(sequence);
        return part;
    }

    /// <summary>A text as the normalizer leaves it.</summary>
    public string Normalize(string text)
    {
        var aligned = new AlignedText(Valid(text), 0, isTracked: false);
        _normalizer?.Normalize(aligned);
        return aligned.Units.ToString();
    }

    private static bool IsFirstOnly(IPreTokenizer stage) => stage is MetaspacePreTokenizer { Scheme: PrependScheme.First }
        || stage is PreTokenizerSequence sequence && sequence.Parts.Any(IsFirstOnly);

    /// <summary>The text with U+FFFD for each unpaired surrogate.</summary>
    private static ReadOnlySpan<char> Valid(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
            return text;
        char[] units = text.ToCharArray();
        for (int i = 0; i < units.Length; i++)
        {
            if (!char.IsSurrogate(units[i]))
                continue;
            if (char.IsHighSurrogate(units[i]) && i + 1 < units.Length && char.IsLowSurrogate(units[i + 1]))
                i++;
            else
                units[i] = '\uFFFD';
        }

        return units;
    }

    /// <summary>The common case of a text that is only cut into GPT-2's words, without a list of them.</summary>
    private void EncodeWords(ReadOnlySpan<char> text, bool splitsSpecial, TokenBuffer tokens)
    {
        foreach (AddedTokenMatcher.Pieces piece in AddedTokenMatcher.Split(_normalizedTextTokens, text, splitsSpecial))
        {
            if (piece.Id >= 0)
            {
                tokens.Ids.Add(piece.Id);
                continue;
            }

            for (ReadOnlySpan<char> rest = text[piece.Start..piece.End]; !rest.IsEmpty;)
            {
                int length = Gpt2PreTokenizer.FirstWordLength(rest);
                _model.Tokenize(rest[..length], tokens);
                rest = rest[length..];
            }
        }
    }

    /// <summary>Makes tokens of text without added tokens in it as it stands.</summary>
    private void EncodeSection(AlignedText text, bool splitsSpecial, TokenBuffer tokens, EncodedPart? part)
    {
        _normalizer?.Normalize(text);
        if (_normalizedTextTokens is null)
        {
            EncodeNormalized(text, tokens, part);
            return;
        }

        foreach (AddedTokenMatcher.Pieces piece in AddedTokenMatcher.Split(_normalizedTextTokens, text.Units, splitsSpecial))
        {
            if (piece.Id < 0)
            {
                bool isWhole = piece.Start == 0 && piece.End == text.Length;
                EncodeNormalized(isWhole ? text : text.Slice(piece.Start, piece.End), tokens, part);
            }
            else if (part is null)
            {
                tokens.Ids.Add(piece.Id);
            }
            else
            {
                part.Tokens.Add(Token(
                    piece.Id, text.Units[piece.Start..piece.End].ToString(), text.StartOf(piece.Start), text.EndOf(piece.End - 1)));
            }
        }
    }

    private void EncodeNormalized(AlignedText text, TokenBuffer tokens, EncodedPart? part)
    {
        var pieces = new TextPieces(text);
        _preTokenizer?.PreTokenize(pieces);
        ReadOnlySpan<char> units = text.Units;
        foreach ((int start, int end) in pieces.Pieces)
        {
            _model.Tokenize(units[start..end], tokens);
            if (part is null)
                continue;
            for (int i = 0; i < tokens.Ids.Count; i++)
                part.Tokens.Add(Token(tokens.Ids[i], text, tokens.Units![i].Start + start, tokens.Units[i].End + start));
            tokens.Clear();
        }
    }

    private EncodedToken Token(int id, AlignedText text, int start, int end)
    {
        string token = id == _model.UnknownIdShownAsText ? text.Units[start..end].ToString() : _vocabulary.TokenOf(id)!;

        // A token without characters has a place, but no span.
        int from = start < text.Length ? text.StartOf(start) : text.EndOf(text.Length - 1);
        return Token(id, token, from, start < end ? text.EndOf(end - 1) : from);
    }

    private static EncodedToken Token(int id, string token, int start, int end) => new(id, token, start, end, 0, null, IsSpecial: false);
}
