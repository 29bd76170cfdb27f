using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Optimizers;

namespace MLTransfer.Torch.Training.Language;

/// <summary>
/// What a checkpoint of a language model's training holds: the model (or its adapters) in Hugging Face layout, <c>optimizer.safetensors</c>,
/// <c>trainer_state.json</c> and the best weights so far, where there are validation rows.
/// </summary>
internal static class TrainingCheckpoint
{
    private const string OptimizerFile = "optimizer.safetensors";

    /// <summary>Writes a checkpoint, then removes the oldest ones over the limit.</summary>
    /// <exception cref="IOException">The checkpoint could not be written, for example because the disk is full. Earlier ones are as they were.</exception>
    public static void Write(
        string outputDirectory, CausalLanguageModel model, TextTokenizer? tokenizer, AdamW optimizer, TrainerState state, WeightSnapshot best, int limit) =>
        CheckpointFolder.Write(outputDirectory, state, limit, inside =>
        {
            if (model.Lora is null)
                model.Save(inside);
            else
                PeftAdapterFolder.Save(model, inside);
            tokenizer?.Save(inside);
            SafetensorsWriter.Write(Path.Combine(inside, OptimizerFile), optimizer.State);
            best.CopyInto(inside);
        });

    /// <summary>Brings model and optimizer to the checkpoint's state. Nothing is changed where the checkpoint is refused.</summary>
    /// <param name="checkpoint">Where it is.</param>
    /// <param name="model">Gets the weights.</param>
    /// <param name="optimizer">Gets the running means and the number of updates.</param>
    /// <param name="fingerprint">That of the run that is to go on.</param>
    /// <param name="best">Becomes the best weights so far.</param>
    /// <exception cref="InvalidDataException">The checkpoint is malformed, or belongs to other data, options or another model.</exception>
    public static TrainerState Resume(
        CheckpointFolder checkpoint, CausalLanguageModel model, AdamW optimizer, string fingerprint, WeightSnapshot best) =>
        checkpoint.Resume<TrainerState>(fingerprint, state =>
        {
            using var optimizerState = SafetensorsFile.Open(Path.Combine(checkpoint.Folder, OptimizerFile));
            WeightSnapshot.Check(optimizer.State, optimizerState);
            best.CopyFrom(checkpoint.Folder, model);
            if (state.BestValidationLoss is not null && !best.Exists)
                throw new FileNotFoundException($"The best weights that {CheckpointFolder.StateFile} tells of are missing.");
            RestoreWeights(checkpoint, model);
            WeightSnapshot.CopyInto(optimizer.State, optimizerState);
            optimizer.StepCount = state.Step;
        });

    /// <summary>Copies the checkpoint's weights into the model.</summary>
    public static void RestoreWeights(CheckpointFolder checkpoint, CausalLanguageModel model)
    {
        using var weights = model.Lora is null
            ? Checkpoint.Open(checkpoint.Folder)
            : SafetensorsFile.Open(Path.Combine(checkpoint.Folder, PeftAdapterFolder.WeightsFileName));
        WeightSnapshot.CopyInto(WeightSnapshot.TrainableWeights(model, model.Lora is null ? "" : PeftAdapterFolder.NamePrefix), weights);
    }
}
