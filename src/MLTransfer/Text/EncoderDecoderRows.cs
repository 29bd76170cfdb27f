using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Language;

namespace MLTransfer.Text;

/// <summary>Texts as rows of an encoder and its decoder: a text a row, as encoders see all of it.</summary>
/// <param name="tokenizer">The model's.</param>
/// <param name="model">Tells what its decoder begins with.</param>
/// <param name="maximumLength">The most tokens that each of the two reads, special tokens included.</param>
internal sealed class EncoderDecoderRows(TextTokenizer tokenizer, EncoderDecoderModel model, int maximumLength)
{
    /// <summary>The rows: of prompts and completions as they are read, of whole texts plain tokens, which noise makes rows of.</summary>
    /// <param name="texts">Completions with their special tokens, whole texts without.</param>
    /// <param name="isJoined">Whether whole texts are joined and cut into rows of equal length.</param>
    /// <param name="endOfSequence">The token that follows every text that is joined or written; null for none.</param>
    public IReadOnlyList<TrainingExample> Of(TrainingTexts texts, bool isJoined, int? endOfSequence)
    {
        if (!texts.AreWhole)
            return [.. texts.Texts.Select(text => Answer(text.Prompt!, text.Text, endOfSequence))];
        var length = PlainLength();
        if (!isJoined)
            return [.. texts.Texts.SelectMany(text => TrainingExamples.Document(text.Text, length))];
        int[] all = [.. texts.Texts.SelectMany(text => (int[])(endOfSequence is { } end ? [.. text.Text, end] : text.Text))];
        var blocks = TrainingExamples.Blocks(all, length);
        return blocks.Count > 0 ? blocks : [.. TrainingExamples.Document(all, length)];
    }

    /// <summary>How many texts are longer than a row, or have a prompt that is.</summary>
    public long CountCut(TrainingTexts texts, bool isJoined) => texts.AreWhole
        ? isJoined ? 0 : texts.Texts.LongCount(text => text.Text.Length > PlainLength())
        : texts.Texts.LongCount(text => text.Text.Length > maximumLength || text.Prompt!.Length > maximumLength);

    /// <summary>A prompt that is too long loses its end, but for the token that ends it; a completion loses its end.</summary>
    public TrainingExample Answer(int[] prompt, int[] completion, int? endOfSequence)
    {
        var ends = tokenizer.TextEndId is { } end ? (int[])[end] : [];
        if (endOfSequence is null)
            completion = completion[..^tokenizer.TrailingIds.Length];
        else if (completion is [] || completion[^1] != endOfSequence)
            completion = [.. completion, endOfSequence.Value];
        return TrainingExamples.Answer(
            PromptEncoder.Cut(prompt, maximumLength, ends), completion.AsSpan(0, Math.Min(completion.Length, maximumLength)),
            model.DecoderStartTokenId);
    }

    private int PlainLength()
    {
        var special = tokenizer.LeadingIds.Length + tokenizer.TrailingIds.Length;
        return maximumLength - special is var length and >= 2 ? length : throw new ArgumentException(
            $"{nameof(TextGeneratorOptions.MaximumLength)} is {maximumLength}, but the special tokens around a text are {special}: it must "
            + $"be at least {special + 2}.");
    }
}
