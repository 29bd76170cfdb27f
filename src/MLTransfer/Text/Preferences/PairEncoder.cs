using MLTransfer.Text.Chats;
using MLTransfer.Torch.Chats;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Language;
using MLTransfer.Torch.Training.Preferences;

namespace MLTransfer.Text.Preferences;

/// <summary>
/// Two texts of a prompt as token ids. A text is read together with its prompt, as one text, so that it is made of the tokens that a reader
/// would make of both; beside an encoder it is a text of its own.
/// </summary>
internal sealed class PairEncoder
{
    /// <summary>The most tokens of a row where nobody says, as in trl.</summary>
    private const int UsualLength = 1024;

    private readonly TextTokenizer _tokenizer;
    private readonly EncoderDecoderRows? _besideEncoder;
    private readonly ChatReader? _chats;
    private readonly int? _end; // the token that follows every text

    /// <param name="tokenizer">The model's.</param>
    /// <param name="network">The model's.</param>
    /// <param name="chat">How prompts are read where they are chats; null where they are texts.</param>
    /// <param name="form">Length and end of rows.</param>
    /// <param name="name">What messages call the model.</param>
    /// <exception cref="ArgumentException">Prompts are chats, which the model does not read.</exception>
    public PairEncoder(TextTokenizer tokenizer, TransformerNetwork network, ChatForm? chat, TextRowForm form, string name)
    {
        if (chat is not null && network is EncoderDecoderModel)
        {
            throw new ArgumentException(
                $"{nameof(TextColumnsOptions.ChatColumnName)} is for decoders; '{name}' has an encoder beside its decoder. Leave it out.");
        }

        (_tokenizer, MaximumLength) = (tokenizer, LengthOf(form, network));
        _end = chat is null ? form.EndOf(tokenizer) : form.AppendEndOfSequence == true ? tokenizer.EndOfSequenceId : null;
        _chats = chat is null ? null : new ChatReader(ChatFormat.Of(tokenizer, chat.Template, name), chat);
        _besideEncoder = network is EncoderDecoderModel model ? new EncoderDecoderRows(tokenizer, model, MaximumLength) : null;
    }

    /// <summary>The most tokens of a prompt with a text, or of each.</summary>
    public int MaximumLength { get; }

    /// <summary>Pairs with a text that lost its end.</summary>
    public long CutPairs { get; private set; }

    /// <summary>Tokens that stand for what the vocabulary cannot express.</summary>
    public long UnknownTokens { get; private set; }

    /// <summary>The most tokens of a row of a network.</summary>
    public static int LengthOf(TextRowForm form, TransformerNetwork network) =>
        form.MaximumLength ?? Math.Min(UsualLength, network.UsualRowLength);

    /// <summary>Makes a pair; null where its prompt fills a row, or where a text has no token.</summary>
    /// <exception cref="InvalidDataException">A chat is malformed, or its template refuses it.</exception>
    public PreferencePair? Encode(string prompt, string chosen, string rejected)
    {
        if (_besideEncoder is not null)
        {
            var read = Counted(_tokenizer.Encode(prompt));
            return Usable(new PreferencePair(Answer(read, chosen), Answer(read, rejected)));
        }

        var start = _chats?.Prompt(prompt) ?? Plain(prompt);
        var (first, second) = (Whole(prompt, chosen), Whole(prompt, rejected));
        if (start.Length == 0 && _tokenizer.BeginningOfSequenceId is { } beginning) // as generation does
            (start, first, second) = ([beginning], [beginning, .. first], [beginning, .. second]);
        if (Math.Max(first.Length, second.Length) > MaximumLength)
            CutPairs++;
        return PreferencePair.FromWholeTexts(start, Counted(first), Counted(second), MaximumLength);
    }

    private TrainingExample Answer(int[] read, string text)
    {
        var ids = Counted(_tokenizer.Encode(text));
        if (Math.Max(read.Length, ids.Length) > MaximumLength)
            CutPairs++;
        return _besideEncoder!.Answer(read, ids, _end);
    }

    private int[] Whole(string prompt, string text)
    {
        var ids = _chats?.Answered(prompt, text) ?? Plain(prompt + text);
        return _end is { } end && (ids.Length == 0 || ids[^1] != end) ? [.. ids, end] : ids;
    }

    /// <summary>A text that others may follow, as generation reads it.</summary>
    private int[] Plain(string text)
    {
        var ids = _tokenizer.Encode(text);
        return ids[..^_tokenizer.TrailingIds.Length];
    }

    private int[] Counted(int[] ids)
    {
        UnknownTokens += _tokenizer.UnknownId is { } unknown ? ids.AsSpan().Count(unknown) : 0;
        return ids;
    }

    private static PreferencePair? Usable(PreferencePair pair) => pair.HasTokens ? pair : null;
}
