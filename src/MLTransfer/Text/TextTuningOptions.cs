using MLTransfer.Text;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Training.Language;
using Microsoft.ML;

namespace MLTransfer;

/// <summary>
/// What every tuning of a text generator is told, whatever it learns from. Names of Hugging Face are given in parentheses.
/// </summary>
public abstract class TextTuningOptions : GenerateTextOptions
{
    private protected TextTuningOptions()
    {
    }

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
    /// Decides the order of rows, dropout and new adapters (<c>seed</c>), in place of the seed of its training options; null for the seed
    /// of the <see cref="MLContext"/>, a random one where it has none.
    /// </summary>
    public long? Seed;

    /// <summary>How the network is trained.</summary>
    internal abstract LanguageTrainingOptions TrainingOptions { get; }

    /// <summary>The most tokens of a row; null for what is usual.</summary>
    internal abstract int? RowLength { get; }

    /// <summary>The options that every fine-tuning of a network of texts has.</summary>
    internal TextFineTuning FineTuning => new()
    {
        PretrainedModel = PretrainedModel,
        Standard = (PretrainedModels.Tales, $"{nameof(PretrainedModels)}.{nameof(PretrainedModels.Tales)}"),
        BaseModel = BaseModel,
        Training = TrainingOptions,
        Lora = Lora,
        AddTokens = AddTokens,
        FrozenParameters = FrozenParameters,
        TrainableBlocks = TrainableBlocks,
        Dropout = Dropout,
        MaximumLength = RowLength,
        ValidationFraction = ValidationFraction,
        ValidationData = ValidationData,
        SaveAdapterOnly = SaveAdapterOnly,
        CancellationToken = CancellationToken,
    };

    internal override void Check()
    {
        base.Check();
        FineTuning.Check();
    }
}
