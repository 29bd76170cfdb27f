using Microsoft.ML;
using MLTransfer.Text;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Training.Language;

namespace MLTransfer;

/// <summary>
/// How <see cref="TextInfillerEstimator"/> fine-tunes a model that fills masks. <see cref="Training"/> is what Hugging Face calls
/// <c>TrainingArguments</c>; names of Hugging Face are given in parentheses.
/// </summary>
public sealed class TextInfillerOptions : InfillTextOptions
{
    /// <summary>
    /// What training starts from: <see cref="PretrainedModels.TalesInfilling"/>, a folder in Hugging Face layout, a hub id such as
    /// <c>bert-base-uncased</c>, or a model zip with a text infiller, which is trained on. See <see cref="BaseModel"/> for its adapters.
    /// </summary>
    public string PretrainedModel = PretrainedModels.TalesInfilling;

    /// <summary>
    /// A loaded model or chain whose text infiller is trained on, in place of <see cref="PretrainedModel"/>; null for that. It stays as it
    /// is: its weights are copied. Adapters that it has are trained on where <see cref="Lora"/> asks for the same kind, else they become
    /// part of the weights first.
    /// </summary>
    public ITransformer? BaseModel;

    /// <summary>
    /// How the network is trained: learning rate, number and size of steps, evaluation, checkpoints. Its seed stays as it is:
    /// <see cref="Seed"/> decides.
    /// </summary>
    public LanguageTrainingOptions Training = new();

    /// <summary>Which tokens training hides, others in every epoch (<c>DataCollatorForLanguageModeling</c>).</summary>
    public MaskingOptions Masking = new();

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
    /// Parameters that stay as they are, by name with <c>*</c> and <c>?</c>, such as <c>bert.embeddings.*</c>; null for none.
    /// </summary>
    public IReadOnlyList<string>? FrozenParameters;

    /// <summary>Train only the last so many transformer blocks and what comes after them; null for all.</summary>
    public int? TrainableBlocks;

    /// <summary>
    /// The probability with which training zeroes embeddings and what layers add to them (<c>hidden_dropout_prob</c>); null for what
    /// <c>config.json</c> says. Dropout of attention weights stays as the file says.
    /// </summary>
    public double? Dropout;

    /// <summary>Tokens of a training row, special ones included; null for the model's context length (<c>max_seq_length</c>).</summary>
    public int? MaximumLength;

    /// <summary>
    /// How texts become rows. Short ones share rows by default, each with the special tokens around it. A text that is longer than a row
    /// goes on in further rows, which have them too.
    /// </summary>
    public RowPacking RowPacking = RowPacking.Packed;

    /// <summary>
    /// The share of the data that is held out for evaluation: its last rows, at least one of them. 0 holds nothing out. Ignored where
    /// <see cref="ValidationData"/> is given.
    /// </summary>
    public double ValidationFraction = 0.1;

    /// <summary>
    /// Rows for evaluation, with the column that training reads; null to take a share of the training data. They do not go through the
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
    /// Ends training after the step that is being done and keeps what was learned: <c>Fit</c> returns its transformer.
    /// <see cref="CancellationToken"/> throws instead.
    /// </summary>
    public CancellationToken StopAndKeep;

    /// <summary>
    /// Decides the order of rows, what is masked, dropout and new adapters (<c>seed</c>), in place of the seed of <see cref="Training"/>;
    /// null for the seed of the <see cref="MLContext"/>, a random one where it has none.
    /// </summary>
    public long? Seed;

    /// <summary>The options that every fine-tuning of a network of texts has.</summary>
    internal TextFineTuning FineTuning => new()
    {
        PretrainedModel = PretrainedModel,
        Standard = (PretrainedModels.TalesInfilling, $"{nameof(PretrainedModels)}.{nameof(PretrainedModels.TalesInfilling)}"),
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
        TextFineTuning.CheckIsOfTexts(Training);
        if (Masking is null)
            throw new ArgumentException($"{nameof(Masking)} must not be null.", nameof(Masking));
        Masking.Check();
        OptionCheck.Defined(nameof(RowPacking), RowPacking);
        if (Training.SamplePrompts.Count > 0)
        {
            throw new ArgumentException(
                $"{nameof(LanguageTrainingOptions.SamplePrompts)} are continued by a text generator; a model that fills masks is none. "
                + "Leave them out.", nameof(LanguageTrainingOptions.SamplePrompts));
        }
    }
}
