using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Memory;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Preferences;

/// <summary>
/// The log-probabilities of all texts by the reference model, 16 bytes a pair: measured once, before the first step. A saved run keeps
/// them: where all weights are trained, nothing else is left of the reference.
/// </summary>
/// <param name="Training">Of the training pairs.</param>
/// <param name="Validation">Of the validation pairs.</param>
internal sealed record ReferenceLogProbabilities(
    IReadOnlyList<TextLogProbabilities> Training, IReadOnlyList<TextLogProbabilities> Validation)
{
    private const string FileName = "reference.safetensors";
    private const string TrainingName = "training";
    private const string ValidationName = "validation";

    /// <summary>Writes the file of a saved run.</summary>
    public void Save(string folder)
    {
        using var scope = NewDisposeScope();
        SafetensorsWriter.Write(Path.Combine(folder, FileName), new (string Name, IReadOnlyList<TextLogProbabilities> Values)[]
        {
            (TrainingName, Training), (ValidationName, Validation),
        }.Select(part => KeyValuePair.Create(
            part.Name, tensor(part.Values.SelectMany(pair => (double[])[pair.Chosen, pair.Rejected]).ToArray()).view(-1, 2))));
    }

    /// <summary>Reads the file of a saved run.</summary>
    /// <param name="folder">Of the saved run.</param>
    /// <param name="training">How many training pairs there are.</param>
    /// <param name="validation">How many validation pairs there are.</param>
    /// <exception cref="InvalidDataException">It is damaged, or of other pairs.</exception>
    public static ReferenceLogProbabilities Load(string folder, int training, int validation)
    {
        using var file = SafetensorsFile.Open(Path.Combine(folder, FileName));
        return new(Read(TrainingName, training), Read(ValidationName, validation));

        TextLogProbabilities[] Read(string name, int count)
        {
            if (!file.Tensors.TryGetValue(name, out var found) || found.DataType != ScalarType.Float64
                || !found.Shape.SequenceEqual([count, 2L]))
            {
                throw new InvalidDataException(
                    $"{FileName} has no log-probabilities of {count} {name} pairs, [{count}, 2] as 64-bit numbers.");
            }

            using var scope = NewDisposeScope();
            return [.. NativeTensor.AsSpan<double>(file.Read(name)).ToArray().Chunk(2)
                .Select(pair => new TextLogProbabilities(pair[0], pair[1]))];
        }
    }
}
