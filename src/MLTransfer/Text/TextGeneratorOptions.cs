using MLTransfer.Text;
using MLTransfer.Torch.Training.Language;

namespace MLTransfer;

/// <summary>
/// How <see cref="TextGeneratorEstimator"/> fine-tunes a text generator. <see cref="Training"/> is what Hugging Face calls
/// <c>TrainingArguments</c>; names of Hugging Face are given in parentheses.
/// </summary>
public sealed class TextGeneratorOptions : TextTuningOptions
{
    /// <summary>
    /// The text column that the model shall write after the input column's text; the loss is on it alone. Null: the model learns whole
    /// texts. The two texts are put together as they are, so a completion begins with a space where words are to be apart. Of an encoder
    /// with a decoder the encoder reads the input column's text, and the decoder writes the completion, a text of its own.
    /// </summary>
    public string? CompletionColumnName;

    /// <summary>
    /// How the network is trained: learning rate, number and size of steps, evaluation, checkpoints; <see cref="DefaultTraining"/> where
    /// not said otherwise. Its seed stays as it is: <see cref="TextTuningOptions.Seed"/> decides.
    /// <see cref="LanguageTrainingOptions.MoveBorders"/> counts where the data are one text, or are joined to one.
    /// </summary>
    public LanguageTrainingOptions Training = DefaultTraining;

    /// <summary>
    /// Tokens of a training row; null for the model's context length (<c>block_size</c> of <c>run_clm.py</c>). Of an encoder with a decoder
    /// the most that each of the two reads, special tokens included; null for the shorter context, or 512 for T5, which has none. A prompt
    /// that is longer loses its end there, but for the token that ends it, a completion its end; whole texts go on in further rows.
    /// </summary>
    public int? MaximumLength;

    /// <summary>
    /// How texts become rows. Short ones share rows by default: rows of a sentence each would make many small steps, each of little weight.
    /// Encoders see a whole row, so texts of an encoder with a decoder have rows of their own;
    /// <see cref="MLTransfer.RowPacking.Concatenated"/> joins whole texts there too.
    /// </summary>
    public RowPacking RowPacking = RowPacking.Packed;

    /// <summary>
    /// Whether the end-of-sequence token follows every text, so that the model learns to stop. Null: it does where texts stay apart
    /// (<see cref="RowPacking.None"/>, <see cref="RowPacking.Packed"/>) and the tokenizer has one; a <c>[SEP]</c> that the tokenizer puts
    /// behind every text is one. False leaves out of an encoder-decoder's completions what its tokenizer puts behind texts. Chats end as
    /// their template writes it: there it follows the assistant's last word only where this is true.
    /// </summary>
    public bool? AppendEndOfSequence;

    /// <summary>
    /// The noise by which whole texts train an encoder with a decoder, new in every epoch; null for that of the family. Other networks, and
    /// completions, are trained without.
    /// </summary>
    public TextNoiseOptions? Noise;

    internal override LanguageTrainingOptions TrainingOptions => Training;

    /// <summary>
    /// The recipe that experiments chose for the embedded model on texts of 10 to 160 KB, whole and by paragraphs (docs/training.md):
    /// many small steps, of one row at 1.25e-4, after a long warm-up, and a text cut at other places in every epoch. Take it <c>with</c>
    /// what is to be otherwise; a new <see cref="LanguageTrainingOptions"/> has the defaults of <c>TrainingArguments</c> instead. Rows
    /// that are not packed full, such as those of an encoder with a decoder, want more of them a step; much wider networks lower rates.
    /// </summary>
    public static LanguageTrainingOptions DefaultTraining => new()
    {
        LearningRate = 1.25e-4, BatchSize = 1, WarmupRatio = 0.2, MoveBorders = true,
    };

    internal override int? RowLength => MaximumLength;

    internal override void Check()
    {
        base.Check();
        TextFineTuning.CheckIsOfTexts(Training);
        OptionCheck.ColumnName(nameof(CompletionColumnName), CompletionColumnName);
        OptionCheck.Defined(nameof(RowPacking), RowPacking);
        Noise?.Check();
        if ((CompletionColumnName ?? ChatColumnName) is not null && RowPacking == RowPacking.Concatenated)
        {
            throw new ArgumentException(
                $"{nameof(RowPacking)}.{nameof(RowPacking.Concatenated)} joins whole texts and cannot be combined with "
                + $"{(ChatColumnName is not null ? nameof(ChatColumnName) : nameof(CompletionColumnName))}; take "
                + $"{nameof(RowPacking.Packed)}.", nameof(RowPacking));
        }
    }
}
