namespace MLTransfer.Torch.Training.Language;

/// <summary>How a model is trained. Names map one to one onto Hugging Face's <c>TrainingArguments</c>, and defaults are the same where not said otherwise.</summary>
public sealed record LanguageTrainingOptions : TrainingOptions
{
    /// <summary>How often the training data is gone through (<c>num_train_epochs</c>).</summary>
    public int NumberOfEpochs { get; init; } = 3;

    /// <summary>The number of optimizer steps, whatever <see cref="NumberOfEpochs"/> says; 0 for "as many as the epochs take" (<c>max_steps</c>).</summary>
    public int MaximumSteps { get; init; }

    /// <summary>Rows of one forward and backward pass (<c>per_device_train_batch_size</c>).</summary>
    public int BatchSize { get; init; } = 8;

    /// <summary>Passes whose gradients are added up before one optimizer step (<c>gradient_accumulation_steps</c>).</summary>
    public int GradientAccumulationSteps { get; init; } = 1;

    /// <summary>The peak learning rate (<c>learning_rate</c>).</summary>
    public double LearningRate { get; init; } = 5e-5;

    /// <summary>How the learning rate falls (<c>lr_scheduler_type</c>).</summary>
    public LearningRateSchedule LearningRateSchedule { get; init; } = LearningRateSchedule.Linear;

    /// <summary>Steps in which the learning rate rises from 0 to its peak (<c>warmup_steps</c>).</summary>
    public int WarmupSteps { get; init; }

    /// <summary>AdamW's decoupled weight decay; biases and layer norms are left out (<c>weight_decay</c>).</summary>
    public double WeightDecay { get; init; }

    /// <summary>AdamW's decay rate of the gradient's running mean (<c>adam_beta1</c>).</summary>
    public double AdamBeta1 { get; init; } = 0.9;

    /// <summary>AdamW's decay rate of the squared gradient's running mean (<c>adam_beta2</c>).</summary>
    public double AdamBeta2 { get; init; } = 0.999;

    /// <summary>Added to AdamW's denominator (<c>adam_epsilon</c>).</summary>
    public double AdamEpsilon { get; init; } = 1e-8;

    /// <summary>Gradients with a larger norm are scaled down to it; 0 switches clipping off (<c>max_grad_norm</c>).</summary>
    public double MaximumGradientNorm { get; init; } = 1;

    /// <summary>The number format of matrix products (<c>bf16</c>). <see cref="Precision.Float32"/> gives the numbers of a reference in float32.</summary>
    public Precision Precision { get; init; } = Precision.Auto;

    /// <summary>
    /// Whether a block's intermediate results are computed again in the backward pass instead of kept: much less memory for a third more
    /// computation (<c>gradient_checkpointing</c>).
    /// </summary>
    public bool GradientCheckpointing { get; init; }

    /// <summary>Whether every epoch goes through the rows in another random order.</summary>
    public bool Shuffle { get; init; } = true;

    /// <summary>
    /// Whether every epoch goes through rows of similar length together, so that little of a batch is padding (<c>group_by_length</c>): in random
    /// order, sorted by length within blocks of 50 steps, the longest row of all first. Of no use for rows of equal length, such as packed ones. Needs <see cref="Shuffle"/>.
    /// </summary>
    public bool GroupByLength { get; init; }

    /// <summary>Steps between evaluations on the validation rows; 0 for once an epoch (<c>eval_steps</c>).</summary>
    public int EvaluationSteps { get; init; }

    /// <summary>Rows of one evaluation pass (<c>per_device_eval_batch_size</c>).</summary>
    public int EvaluationBatchSize { get; init; } = 8;

    /// <summary>Evaluations in a row without a better loss after which training stops; 0 for never (<c>early_stopping_patience</c>).</summary>
    public int EarlyStoppingPatience { get; init; }

    /// <summary>
    /// Whether the model ends with the weights that were best on the validation rows, the start included (<c>load_best_model_at_end</c>).
    /// Needs validation rows. On here, off in transformers: overfitting is the common failure of fine-tuning on a small text.
    /// </summary>
    public bool KeepBestModel { get; init; } = true;

    /// <summary>Where checkpoints, <c>metrics.jsonl</c> and <c>loss.png</c> go; null for none of them (<c>output_dir</c>).</summary>
    /// <remarks>
    /// A folder belongs to one run. Without <see cref="Resume"/>, a new run begins by deleting the checkpoints, metrics and plot of the run that
    /// used the folder before, as transformers' <c>overwrite_output_dir</c> does; other files stay.
    /// </remarks>
    public string? OutputDirectory { get; init; }

    /// <summary>
    /// Steps between checkpoints; 0 for none (<c>save_steps</c>). The last step gets one too. Needs <see cref="OutputDirectory"/>.
    /// </summary>
    public int CheckpointSteps { get; init; }

    /// <summary>How many checkpoints are kept, the newest; 0 for all (<c>save_total_limit</c>).</summary>
    public int CheckpointLimit { get; init; }

    /// <summary>
    /// Go on from the newest checkpoint in <see cref="OutputDirectory"/> where there is one (<c>resume_from_checkpoint</c>), or start anew where there
    /// is none. Rows, options and model must be those that the checkpoint was made with.
    /// </summary>
    public bool Resume { get; init; }

    internal override void Check()
    {
        AtLeast(nameof(NumberOfEpochs), NumberOfEpochs, MaximumSteps > 0 ? 0 : 1);
        AtLeast(nameof(MaximumSteps), MaximumSteps, 0);
        AtLeast(nameof(BatchSize), BatchSize, 1);
        AtLeast(nameof(GradientAccumulationSteps), GradientAccumulationSteps, 1);
        AtLeast(nameof(WarmupSteps), WarmupSteps, 0);
        AtLeast(nameof(EvaluationSteps), EvaluationSteps, 0);
        AtLeast(nameof(EvaluationBatchSize), EvaluationBatchSize, 1);
        AtLeast(nameof(EarlyStoppingPatience), EarlyStoppingPatience, 0);
        AtLeast(nameof(CheckpointSteps), CheckpointSteps, 0);
        AtLeast(nameof(CheckpointLimit), CheckpointLimit, 0);
        NotNegative(nameof(LearningRate), LearningRate);
        NotNegative(nameof(WeightDecay), WeightDecay);
        NotNegative(nameof(AdamEpsilon), AdamEpsilon);
        NotNegative(nameof(MaximumGradientNorm), MaximumGradientNorm);
        DecayRate(nameof(AdamBeta1), AdamBeta1);
        DecayRate(nameof(AdamBeta2), AdamBeta2);
        if (!Enum.IsDefined(Precision))
            throw new ArgumentOutOfRangeException(nameof(Precision), Precision, "Unknown precision.");
        if (!Enum.IsDefined(LearningRateSchedule))
            throw new ArgumentOutOfRangeException(nameof(LearningRateSchedule), LearningRateSchedule, "Unknown learning rate schedule.");
        if (GroupByLength && !Shuffle)
            throw new ArgumentException($"{nameof(GroupByLength)} makes a random order of its own; it needs {nameof(Shuffle)}.", nameof(GroupByLength));
        if (OutputDirectory is not null && string.IsNullOrWhiteSpace(OutputDirectory))
            throw new ArgumentException($"{nameof(OutputDirectory)} is empty; expected a folder, or null for no files.", nameof(OutputDirectory));
        if (OutputDirectory is null && (CheckpointSteps > 0 || Resume))
        {
            throw new ArgumentException(
                $"{(Resume ? nameof(Resume) : nameof(CheckpointSteps))} needs {nameof(OutputDirectory)}, the folder of the checkpoints.", nameof(OutputDirectory));
        }

        static void AtLeast(string name, int value, int minimum)
        {
            if (value < minimum)
                throw new ArgumentOutOfRangeException(name, value, $"{name} must be at least {minimum}.");
        }

        static void NotNegative(string name, double value)
        {
            if (!(value >= 0) || double.IsInfinity(value))
                throw new ArgumentOutOfRangeException(name, value, $"{name} must be a finite number that is not negative.");
        }

        static void DecayRate(string name, double value)
        {
            if (value is not (>= 0 and < 1))
                throw new ArgumentOutOfRangeException(name, value, $"{name} must be from 0 to less than 1.");
        }
    }
}
