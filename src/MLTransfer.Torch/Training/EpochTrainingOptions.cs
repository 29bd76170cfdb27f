namespace MLTransfer.Torch.Training;

/// <summary>
/// What a run is told that goes through its rows in epochs, by steps of which each is one update. Names map one to one onto Hugging Face's
/// <c>TrainingArguments</c>, and defaults are the same where not said otherwise.
/// </summary>
public abstract record EpochTrainingOptions : TrainingOptions
{
    private protected EpochTrainingOptions()
    {
    }

    /// <summary>How often the training data is gone through (<c>num_train_epochs</c>); 3 where not said otherwise.</summary>
    public int NumberOfEpochs { get; init; } = 3;

    /// <summary>
    /// The number of optimizer steps, whatever <see cref="NumberOfEpochs"/> says; 0 for "as many as the epochs take" (<c>max_steps</c>).
    /// </summary>
    public int MaximumSteps { get; init; }

    /// <summary>Passes whose gradients are added up before one optimizer step (<c>gradient_accumulation_steps</c>).</summary>
    public int GradientAccumulationSteps { get; init; } = 1;

    /// <summary>How the learning rate falls (<c>lr_scheduler_type</c>); in a straight line where not said otherwise.</summary>
    public LearningRateSchedule LearningRateSchedule { get; init; } = LearningRateSchedule.Linear;

    /// <summary>Steps in which the learning rate rises from 0 to its peak (<c>warmup_steps</c>).</summary>
    public int WarmupSteps { get; init; }

    /// <summary>
    /// Gradients with a larger norm are scaled down to it; 0 switches clipping off (<c>max_grad_norm</c>). 1 where not said otherwise.
    /// </summary>
    public double MaximumGradientNorm { get; init; } = 1;

    /// <summary>Whether every epoch goes through the rows in another random order.</summary>
    public bool Shuffle { get; init; } = true;

    /// <summary>Steps between evaluations on the validation rows; 0 for once an epoch (<c>eval_steps</c>).</summary>
    public int EvaluationSteps { get; init; }

    /// <summary>
    /// Rows of one evaluation pass (<c>per_device_eval_batch_size</c>); null for as many as <see cref="TrainingOptions.BatchSize"/>.
    /// </summary>
    public int? EvaluationBatchSize { get; init; }

    /// <summary>
    /// Evaluations in a row without a better loss after which training stops; 0 for never (<c>early_stopping_patience</c>).
    /// </summary>
    public int EarlyStoppingPatience { get; init; }

    /// <summary>
    /// Whether the model ends with the weights that were best on the validation rows (<c>load_best_model_at_end</c>), where there are such
    /// rows. On here, off in transformers: overfitting is the common failure of fine-tuning on little data.
    /// </summary>
    public bool KeepBestModel { get; init; } = true;

    /// <summary>
    /// Steps between checkpoints; 0 for none (<c>save_steps</c>). The last step gets one too. Needs
    /// <see cref="TrainingOptions.OutputDirectory"/>.
    /// </summary>
    public int CheckpointSteps { get; init; }

    internal override IEnumerable<string> IrrelevantToWeights => [nameof(CheckpointSteps)];

    internal override string CheckpointOption => nameof(CheckpointSteps);

    private protected override IEnumerable<(string Name, bool IsSet)> FileOptions => [(CheckpointOption, CheckpointSteps > 0)];

    internal override void Check()
    {
        base.Check();
        OptionRange.AtLeast(nameof(NumberOfEpochs), NumberOfEpochs, MaximumSteps > 0 ? 0 : 1);
        OptionRange.AtLeast(nameof(MaximumSteps), MaximumSteps, 0);
        OptionRange.AtLeast(nameof(GradientAccumulationSteps), GradientAccumulationSteps, 1);
        OptionRange.Defined(nameof(LearningRateSchedule), LearningRateSchedule);
        OptionRange.AtLeast(nameof(WarmupSteps), WarmupSteps, 0);
        OptionRange.NotNegative(nameof(MaximumGradientNorm), MaximumGradientNorm);
        OptionRange.AtLeast(nameof(EvaluationSteps), EvaluationSteps, 0);
        OptionRange.AtLeast(nameof(EvaluationBatchSize), EvaluationBatchSize ?? 1, 1);
        OptionRange.AtLeast(nameof(EarlyStoppingPatience), EarlyStoppingPatience, 0);
        OptionRange.AtLeast(nameof(CheckpointSteps), CheckpointSteps, 0);
    }
}
