using MLTransfer.Text;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Training.Language;
using Microsoft.ML;

namespace MLTransfer;

/// <summary>
/// How <see cref="TextGeneratorEstimator"/> fine-tunes a text generator. <see cref="Training"/> is what Hugging Face calls
/// <c>TrainingArguments</c>; names of Hugging Face are given in parentheses.
/// </summary>
public sealed class TextGeneratorOptions : GenerateTextOptions
{
    /// <summary>
    /// What training starts from: <see cref="PretrainedModels.Tales"/>, a folder in Hugging Face layout, a hub id such as <c>gpt2</c>, or a
    /// model zip with a text generator, which is trained on. See <see cref="BaseModel"/> for its adapters.
    /// </summary>
    public string PretrainedModel = PretrainedModels.Tales;

    /// <summary>
    /// A loaded model or chain whose text generator is trained on, in place of <see cref="PretrainedModel"/>; null for that. It stays as it
    /// is: its weights are copied. Adapters that it has are trained on where <see cref="Lora"/> asks for the same kind, else they become
    /// part of the weights first.
    /// </summary>
    public ITransformer? BaseModel;

    /// <summary>
    /// The text column that the model shall write after the input column's text; the loss is on it alone. Null: the model learns whole
    /// texts. The two texts are put together as they are, so a completion begins with a space where words are to be apart. Of an encoder
    /// with a decoder the encoder reads the input column's text, and the decoder writes the completion, a text of its own.
    /// </summary>
    public string? CompletionColumnName;

    /// <summary>
    /// How the network is trained: learning rate, number and size of steps, evaluation, checkpoints; <see cref="DefaultTraining"/> where
    /// not said otherwise. Its seed stays as it is: <see cref="Seed"/> decides.
    /// <see cref="LanguageTrainingOptions.MoveBorders"/> counts where the data are one text, or are joined to one.
    /// </summary>
    public LanguageTrainingOptions Training = DefaultTraining;

    /// <summary>Train low-rank adapters instead of the weights (<c>peft.LoraConfig</c>); null trains the weights.</summary>
    /// <remarks>
    /// Matrices of a base in bfloat16 or float16 that are frozen, here or by <see cref="TrainableBlocks"/> and
    /// <see cref="FrozenParameters"/>, stay in that type, in half the memory, where products are computed in bfloat16 or blocks are
    /// computed twice (<see cref="LanguageTrainingOptions.GradientCheckpointing"/>).
    /// </remarks>
    public LoraOptions? Lora;

    /// <summary>
    /// Tokens that the tokenizer is to have, such as names or marks of an own format: those that it lacks are added to it, and to the
    /// network's tables with the mean of the other tokens' rows to start from. With <see cref="Lora"/> the rows of all tokens named here
    /// are trained beside the adapters, and nothing else of the tables; without it all weights are. Null for none (<c>add_tokens</c> with
    /// <c>resize_token_embeddings</c>, and <c>trainable_token_indices</c> of peft).
    /// </summary>
    public IReadOnlyList<string>? AddTokens;

    /// <summary>
    /// Parameters that stay as they are, by name with <c>*</c> and <c>?</c>, such as <c>transformer.wte.*</c>; null for none.
    /// </summary>
    public IReadOnlyList<string>? FrozenParameters;

    /// <summary>Train only the last so many transformer blocks and the final norm; null for all.</summary>
    public int? TrainableBlocks;

    /// <summary>
    /// The probability with which training zeroes embeddings and what layers add to them (<c>embd_pdrop</c> and <c>resid_pdrop</c> of
    /// <c>config.json</c>); null for what the file says. Dropout of attention weights, which costs most on a CPU, stays as the file says.
    /// </summary>
    public double? Dropout;

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

    /// <summary>
    /// The share of the data that is held out for evaluation: its last rows, at least one of them. Of a single row, which is a whole text
    /// then, it is the end. 0 holds nothing out. Ignored where <see cref="ValidationData"/> is given.
    /// </summary>
    public double ValidationFraction = 0.1;

    /// <summary>
    /// Rows for evaluation, with the columns that training reads; null to take a share of the training data. They do not go through the
    /// estimators before this one.
    /// </summary>
    public IDataView? ValidationData;

    /// <summary>
    /// Save the adapters alone, with the id and the SHA-256 of the model that they belong to. Loading then needs that model. Needs
    /// <see cref="Lora"/>.
    /// </summary>
    public bool SaveAdapterOnly;

    /// <summary>Told after every optimizer step and evaluation, on the thread that trains; null for nobody.</summary>
    public IProgress<TrainingProgress>? Progress;

    /// <summary>
    /// Stops training, and a download before it: it throws <see cref="OperationCanceledException"/>, which says what is kept.
    /// </summary>
    public CancellationToken CancellationToken;

    /// <summary>
    /// Ends training after the step that is being done and keeps what was learned: <c>Fit</c> returns its transformer, with a last
    /// evaluation, the weights that the options keep and, where there are checkpoints, one that a later run resumes from.
    /// <see cref="CancellationToken"/> throws instead.
    /// </summary>
    public CancellationToken StopAndKeep;

    /// <summary>
    /// Decides the order of rows, dropout and new adapters (<c>seed</c>), in place of the seed of <see cref="Training"/>; null for the seed
    /// of the <see cref="MLContext"/>, a random one where it has none.
    /// </summary>
    public long? Seed;

    /// <summary>
    /// The recipe that experiments chose for the embedded model on texts of 10 to 160 KB, whole and by paragraphs (docs/training.md):
    /// steps of two rows at 1.75e-4 after a long warm-up, rows cut at other places in every epoch. Take it <c>with</c> what is to be
    /// otherwise; a new <see cref="LanguageTrainingOptions"/> has the defaults of <c>TrainingArguments</c> instead. Wider networks want
    /// lower rates.
    /// </summary>
    public static LanguageTrainingOptions DefaultTraining => new()
    {
        LearningRate = 1.75e-4, BatchSize = 2, WarmupRatio = 0.3, MoveBorders = true,
    };

    /// <summary>The options that every fine-tuning of a network of texts has.</summary>
    internal TextFineTuning FineTuning => new()
    {
        PretrainedModel = PretrainedModel,
        Standard = (PretrainedModels.Tales, $"{nameof(PretrainedModels)}.{nameof(PretrainedModels.Tales)}"),
        BaseModel = BaseModel,
        Training = Training,
        Lora = Lora,
        AddTokens = AddTokens,
        FrozenParameters = FrozenParameters,
        TrainableBlocks = TrainableBlocks,
        Dropout = Dropout,
        MaximumLength = MaximumLength,
        ValidationFraction = ValidationFraction,
        ValidationData = ValidationData,
        SaveAdapterOnly = SaveAdapterOnly,
        CancellationToken = CancellationToken,
    };

    internal override void Check()
    {
        base.Check();
        FineTuning.Check();
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
