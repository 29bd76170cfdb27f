using MLTransfer.Torch.Training.Language;

namespace MLTransfer.Text;

/// <summary>What a text generator is trained on.</summary>
/// <param name="Training">The rows that it learns.</param>
/// <param name="Validation">Those for evaluation.</param>
/// <param name="Noise">What makes rows of plain tokens; null where rows are read as they are.</param>
/// <param name="Report">The counts of both.</param>
internal sealed record TextTrainingRows(
    IReadOnlyList<TrainingExample> Training, IReadOnlyList<TrainingExample> Validation, RowCorruption? Noise, TextDataReport Report);
