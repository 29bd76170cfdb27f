using System.Text.Json.Serialization;
using MLTransfer.Torch.Training.Optimizers;
using MLTransfer.Torch.Training.Schedules;

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

    /// <summary>How gradients change weights (<c>optim</c>); AdamW where not said otherwise.</summary>
    [JsonPropertyOrder(-3)] // where saved runs have always had it
    public OptimizerAlgorithm Optimizer { get; init; } = OptimizerAlgorithm.AdamW;

    /// <summary>
    /// What <see cref="Optimizer"/> is told beyond learning rate, weight decay and Adam's coefficients (<c>optim_args</c>), by the class
    /// for the algorithm; null for its defaults.
    /// </summary>
    public OptimizerOptions? OptimizerOptions { get; init; }

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

    /// <summary>
    /// What <see cref="LearningRateSchedule"/> is told beyond warm-up and peak (<c>lr_scheduler_kwargs</c>), by the class for the kind of
    /// schedule; null for its defaults.
    /// </summary>
    public LearningRateScheduleOptions? ScheduleOptions { get; init; }

    /// <summary>Steps in which the learning rate rises from 0 to its peak (<c>warmup_steps</c>).</summary>
    public int WarmupSteps { get; init; }

    /// <summary>
    /// The share of all steps in which the learning rate rises, from 0 to 1, where <see cref="WarmupSteps"/> is 0 (<c>warmup_ratio</c>).
    /// </summary>
    public double WarmupRatio { get; init; }

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

    /// <summary>What Adam's family is told.</summary>
    internal virtual AdamCoefficients Adam => AdamCoefficients.Usual;

    /// <summary>The share of decaying weights that an update removes, times the learning rate.</summary>
    internal virtual double Decay => 0;

    /// <summary>What gradient descent without Adam's running means is told.</summary>
    internal virtual StochasticGradientDescentOptions Gradients => (StochasticGradientDescentOptions?)OptimizerOptions ?? new();

    internal override IEnumerable<string> IrrelevantToWeights => [nameof(CheckpointSteps), .. SwitchedOff];

    /// <summary>What changes nothing as it is, so that a run goes on that was saved before there was such an option.</summary>
    private protected virtual IEnumerable<string> SwitchedOff =>
        from option in ((string Name, bool IsOff)[])
        [
            (nameof(Optimizer), Optimizer == OptimizerAlgorithm.AdamW), (nameof(OptimizerOptions), OptimizerOptions is null),
            (nameof(ScheduleOptions), ScheduleOptions is null), (nameof(WarmupRatio), WarmupRatio == 0),
        ]
        where option.IsOff
        select option.Name;

    internal override string CheckpointOption => nameof(CheckpointSteps);

    private protected override IEnumerable<(string Name, bool IsSet)> FileOptions => [(CheckpointOption, CheckpointSteps > 0)];

    internal override void Check()
    {
        base.Check();
        OptionRange.AtLeast(nameof(NumberOfEpochs), NumberOfEpochs, MaximumSteps > 0 ? 0 : 1);
        OptionRange.AtLeast(nameof(MaximumSteps), MaximumSteps, 0);
        OptionRange.AtLeast(nameof(GradientAccumulationSteps), GradientAccumulationSteps, 1);
        LearningRateSchedule.Check(ScheduleOptions, LearningRate);
        OptionRange.AtLeast(nameof(WarmupSteps), WarmupSteps, 0);
        OptionRange.Between(nameof(WarmupRatio), WarmupRatio, 0, 1);
        OptionRange.NotNegative(nameof(MaximumGradientNorm), MaximumGradientNorm);
        OptionRange.AtLeast(nameof(EvaluationSteps), EvaluationSteps, 0);
        OptionRange.AtLeast(nameof(EvaluationBatchSize), EvaluationBatchSize ?? 1, 1);
        OptionRange.AtLeast(nameof(EarlyStoppingPatience), EarlyStoppingPatience, 0);
        OptionRange.AtLeast(nameof(CheckpointSteps), CheckpointSteps, 0);
        CheckOptimizer();
    }

    /// <summary>What the schedule makes of the learning rate.</summary>
    /// <param name="step">Steps done before.</param>
    /// <param name="totalSteps">Of the run.</param>
    internal double RateFactor(int step, int totalSteps)
    {
        var warmup = WarmupSteps > 0 ? WarmupSteps : (int)Math.Ceiling(totalSteps * WarmupRatio);
        return Optimizer == OptimizerAlgorithm.ScheduleFreeAdamW
            ? step < warmup ? (step + 1.0) / warmup : 1
            : LearningRateSchedule.Factor(step, warmup, totalSteps, ScheduleOptions, LearningRate);
    }

    private void CheckOptimizer()
    {
        OptionRange.Defined(nameof(Optimizer), Optimizer);
        OptimizerOptions?.Check();
        OptionRange.Holds(
            nameof(OptimizerOptions), OptimizerOptions is null || OptimizerOptions.Algorithm == Optimizer,
            $"{nameof(OptimizerOptions)} is a {OptimizerOptions?.GetType().Name}, which is for {OptimizerOptions?.Algorithm}; "
            + $"{nameof(Optimizer)} is {Optimizer}.");
        switch (Optimizer)
        {
            case OptimizerAlgorithm.Adam when Decay != 0:
                throw new ArgumentException(
                    $"WeightDecay is {Decay}, but {nameof(Optimizer)} is {Optimizer}, which has none; {OptimizerAlgorithm.AdamW} is Adam "
                    + "with weight decay.", "WeightDecay");
            case OptimizerAlgorithm.ScheduleFreeAdamW:
                Needs(LearningRateSchedule == LearningRateSchedule.Constant, "LearningRateSchedule.Constant");
                Needs(Adam.Beta1 > 0, "beta1 above 0");
                break;
            case OptimizerAlgorithm.Adafactor when OptimizerOptions is AdafactorOptions { RelativeStep: true }:
                Needs(
                    LearningRate == 1 && LearningRateSchedule == LearningRateSchedule.Constant && WarmupSteps == 0 && WarmupRatio == 0,
                    "LearningRate 1, LearningRateSchedule.Constant and no warm-up with relative steps");
                break;
            case OptimizerAlgorithm.Muon when OptimizerOptions is MuonOptions { OtherLearningRate: not null }:
                Needs(LearningRate > 0, "LearningRate above 0 with another one beside");
                break;
        }

        void Needs(bool holds, string what) =>
            OptionRange.Holds(nameof(Optimizer), holds, $"{nameof(Optimizer)} {Optimizer} needs {what}.");
    }
}
