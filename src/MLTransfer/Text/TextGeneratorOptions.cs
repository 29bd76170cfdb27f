using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using Microsoft.ML;

namespace MLTransfer.Text;

/// <summary>
/// How <see cref="TextGeneratorEstimator"/> fine-tunes a text generator. Names map one to one onto Hugging Face's <c>TrainingArguments</c>,
/// given in parentheses.
/// </summary>
public sealed class TextGeneratorOptions : GenerateTextOptions
{
    /// <summary>
    /// What training starts from: <see cref="PretrainedModels.Tales"/>, a folder in Hugging Face layout, or a hub id such as <c>gpt2</c>.
    /// </summary>
    public string PretrainedModel = PretrainedModels.Tales;

    /// <summary>
    /// The text column that the model shall write after the input column's text; the loss is on it alone. Null: the model learns whole texts.
    /// The two texts are put together as they are, so a completion begins with a space where words are to be apart.
    /// </summary>
    public string? CompletionColumnName;

    /// <summary>How often the training data is gone through (<c>num_train_epochs</c>).</summary>
    public int NumberOfEpochs = 3;

    /// <summary>Optimizer steps, whatever <see cref="NumberOfEpochs"/> says; 0 for "as many as the epochs take" (<c>max_steps</c>).</summary>
    public int MaximumSteps;

    /// <summary>Rows of one forward and backward pass (<c>per_device_train_batch_size</c>).</summary>
    public int BatchSize = 8;

    /// <summary>Passes whose gradients are added up before one optimizer step (<c>gradient_accumulation_steps</c>).</summary>
    public int GradientAccumulationSteps = 1;

    /// <summary>The peak learning rate (<c>learning_rate</c>).</summary>
    public double LearningRate = 5e-4;

    /// <summary>AdamW's decoupled weight decay; biases and layer norms are left out (<c>weight_decay</c>).</summary>
    public double WeightDecay;

    /// <summary>Steps in which the learning rate rises from 0 to its peak (<c>warmup_steps</c>).</summary>
    public int WarmupSteps;

    /// <summary>How the learning rate falls (<c>lr_scheduler_type</c>).</summary>
    public LearningRateSchedule LearningRateSchedule = LearningRateSchedule.Linear;

    /// <summary>Gradients with a larger norm are scaled down to it; 0 switches clipping off (<c>max_grad_norm</c>).</summary>
    public double MaximumGradientNorm = 1;

    /// <summary>The number format of matrix products in training (<c>bf16</c>). <see cref="Precision.Float32"/> gives the numbers of a reference in float32.</summary>
    public Precision Precision = Precision.Auto;

    /// <summary>
    /// Whether a block's intermediate results are computed again in the backward pass instead of kept: much less memory for a third more
    /// computation (<c>gradient_checkpointing</c>).
    /// </summary>
    public bool GradientCheckpointing;

    /// <summary>Whether every epoch goes through the rows in another random order.</summary>
    public bool Shuffle = true;

    /// <summary>
    /// Whether every epoch goes through rows of similar length together, so that little of a batch is padding (<c>group_by_length</c>): in random
    /// order, sorted by length within blocks of 50 steps, the longest row of all first. It helps where every text is a row of its own (<see cref="RowPacking.None"/>); packed rows
    /// have nearly the same length anyway. Needs <see cref="Shuffle"/>.
    /// </summary>
    public bool GroupByLength;

    /// <summary>Where checkpoints, <c>metrics.jsonl</c> and <c>loss.png</c> go; null for none of them (<c>output_dir</c>).</summary>
    public string? OutputDirectory;

    /// <summary>Steps between checkpoints; 0 for none (<c>save_steps</c>). Needs <see cref="OutputDirectory"/>.</summary>
    public int CheckpointSteps;

    /// <summary>How many checkpoints are kept, the newest; 0 for all (<c>save_total_limit</c>).</summary>
    public int CheckpointLimit;

    /// <summary>Go on from the newest checkpoint in <see cref="OutputDirectory"/> where there is one (<c>resume_from_checkpoint</c>).</summary>
    public bool Resume;

    /// <summary>Steps between evaluations on the validation rows; 0 for once an epoch (<c>eval_steps</c>).</summary>
    public int EvaluationSteps;

    /// <summary>Evaluations in a row without a better loss after which training stops; 0 for never (<c>early_stopping_patience</c>).</summary>
    public int EarlyStoppingPatience;

    /// <summary>
    /// Whether the model ends with the weights that were best on the validation rows, the start included (<c>load_best_model_at_end</c>).
    /// On here, off in transformers: overfitting is the common failure of fine-tuning on a small text.
    /// </summary>
    public bool KeepBestModel = true;

    /// <summary>Train low-rank adapters instead of the weights (<c>peft.LoraConfig</c>); null trains the weights.</summary>
    public LoraOptions? Lora;

    /// <summary>Parameters that stay as they are, by name with <c>*</c> and <c>?</c>, such as <c>transformer.wte.*</c>; null for none.</summary>
    public IReadOnlyList<string>? FrozenParameters;

    /// <summary>Train only the last so many transformer blocks and the final norm; null for all.</summary>
    public int? TrainableBlocks;

    /// <summary>
    /// The probability with which training zeroes embeddings and what layers add to them (<c>embd_pdrop</c> and <c>resid_pdrop</c> of
    /// <c>config.json</c>); null for what the file says. Dropout of attention weights, which costs most on a CPU, stays as the file says.
    /// </summary>
    public double? Dropout;

    /// <summary>Tokens of a training row; null for the model's context length (<c>block_size</c> of <c>run_clm.py</c>).</summary>
    public int? MaximumLength;

    /// <summary>How texts become rows.</summary>
    public RowPacking RowPacking = RowPacking.None;

    /// <summary>
    /// Whether the end-of-sequence token follows every text, so that the model learns to stop. Null: it does where texts stay apart
    /// (<see cref="RowPacking.None"/>, <see cref="RowPacking.Packed"/>) and the tokenizer has one.
    /// </summary>
    public bool? AppendEndOfSequence;

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

    /// <summary>Stops training, and a download before it.</summary>
    public CancellationToken CancellationToken;

    /// <summary>Decides the order of rows, dropout and new adapters (<c>seed</c>); null for the seed of the <see cref="MLContext"/>.</summary>
    public long? Seed;

    /// <summary>What the trainer is told: the one place where options are mapped.</summary>
    internal LanguageTrainingOptions ToTrainingOptions(long seed) => new()
    {
        NumberOfEpochs = NumberOfEpochs,
        MaximumSteps = MaximumSteps,
        BatchSize = BatchSize,
        GradientAccumulationSteps = GradientAccumulationSteps,
        LearningRate = LearningRate,
        WeightDecay = WeightDecay,
        WarmupSteps = WarmupSteps,
        LearningRateSchedule = LearningRateSchedule,
        MaximumGradientNorm = MaximumGradientNorm,
        Precision = Precision,
        GradientCheckpointing = GradientCheckpointing,
        Shuffle = Shuffle,
        GroupByLength = GroupByLength,
        Seed = seed,
        EvaluationSteps = EvaluationSteps,
        EvaluationBatchSize = BatchSize,
        EarlyStoppingPatience = EarlyStoppingPatience,
        KeepBestModel = KeepBestModel,
        OutputDirectory = OutputDirectory,
        CheckpointSteps = CheckpointSteps,
        CheckpointLimit = CheckpointLimit,
        Resume = Resume,
    };

    internal override void Check()
    {
        base.Check();
        ToTrainingOptions(0).Check();
        Lora?.Check();
        if (string.IsNullOrWhiteSpace(PretrainedModel))
        {
            throw new ArgumentException(
                $"{nameof(PretrainedModel)} must be a folder, a hub id or {nameof(PretrainedModels)}.{nameof(PretrainedModels.Tales)}.",
                nameof(PretrainedModel));
        }

        OptionCheck.ColumnName(nameof(CompletionColumnName), CompletionColumnName);
        OptionCheck.Defined(nameof(RowPacking), RowPacking);
        OptionCheck.FromZeroToLessThanOne(nameof(ValidationFraction), ValidationFraction);
        if (Dropout is { } dropout)
            OptionCheck.FromZeroToLessThanOne(nameof(Dropout), dropout);
        if (MaximumLength is { } length)
            OptionCheck.AtLeast(nameof(MaximumLength), length, 2);
        if (TrainableBlocks is { } blocks)
            OptionCheck.AtLeast(nameof(TrainableBlocks), blocks, 0);
        if (Lora is not null && (TrainableBlocks is not null || FrozenParameters is { Count: > 0 }))
        {
            var option = TrainableBlocks is not null ? nameof(TrainableBlocks) : nameof(FrozenParameters);
            throw new ArgumentException(
                $"{option} cannot be combined with {nameof(Lora)}, which freezes all parameters of the model.", option);
        }

        if (SaveAdapterOnly && Lora is null)
        {
            throw new ArgumentException(
                $"{nameof(SaveAdapterOnly)} needs {nameof(Lora)}: without it there are no adapters.", nameof(SaveAdapterOnly));
        }

        if (CompletionColumnName is not null && RowPacking == RowPacking.Concatenated)
        {
            throw new ArgumentException(
                $"{nameof(RowPacking)}.{nameof(RowPacking.Concatenated)} joins whole texts and cannot be combined with "
                + $"{nameof(CompletionColumnName)}; take {nameof(RowPacking.Packed)}.", nameof(RowPacking));
        }

        if (EarlyStoppingPatience > 0 && ValidationData is null && ValidationFraction == 0)
        {
            throw new ArgumentException(
                $"{nameof(EarlyStoppingPatience)} needs {nameof(ValidationData)} or a {nameof(ValidationFraction)} above 0.",
                nameof(EarlyStoppingPatience));
        }
    }
}
