namespace MLTransfer.Torch.Training;

/// <summary>A line of <c>loss.png</c>.</summary>
/// <param name="Label">Its name in the legend.</param>
/// <param name="Points">Losses by optimizer step. Those that are NaN or infinite are not drawn.</param>
/// <param name="HasMarkers">Whether every point is marked.</param>
internal sealed record LossCurve(string Label, IEnumerable<(int Step, double Loss)> Points, bool HasMarkers = false);
