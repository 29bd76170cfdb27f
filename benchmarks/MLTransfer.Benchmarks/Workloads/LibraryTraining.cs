using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using static TorchSharp.torch;

namespace MLTransfer.Benchmarks.Workloads;

/// <summary>The library's trainer, as a user calls it.</summary>
internal sealed class LibraryTraining(
    string id, string name, Precision precision, LoraOptions? lora = null, bool gradientCheckpointing = false,
    ScalarType weightType = ScalarType.Float32, bool isStored = false) : TrainingVariant(
    id, name, precision == Precision.Float32 && weightType == ScalarType.Float32 ? ScalarType.Float32 : ScalarType.BFloat16,
    gradientCheckpointing ? TrainedOperations.Repeated : lora is null ? TrainedOperations.All : TrainedOperations.Adapters)
{
    public override void Train(BenchmarkedModel model, TrainingShape shape, int steps, Action<double> stepDone)
    {
        using var network = isStored ? model.LoadStored() : model.Load(weightType);
        if (lora is not null)
            LowRankAdaptation.Attach(network, lora);
        var options = new LanguageTrainingOptions
            { BatchSize = shape.BatchSize, MaximumSteps = steps, Precision = precision, GradientCheckpointing = gradientCheckpointing };
        var examples = model.RandomTokens(shape.BatchSize, shape.Length).Select(ids => new TrainingExample(ids, ids)).ToArray();

        // The trainer divides by all labels, as transformers does; the first of a row is never predicted.
        var perPredictedToken = (double)shape.Length / (shape.Length - 1);
        new LanguageModelTrainer(network, options, examples)
            .Train(new StepObserver(progress => stepDone(progress.Loss!.Value * perPredictedToken)));
    }

    /// <summary>Unlike <see cref="Progress{T}"/> it calls on the trainer's thread, before the next step.</summary>
    private sealed class StepObserver(Action<TrainingProgress> observe) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => observe(value);
    }
}
