namespace Numbers.Settings;

/// <param name="Log">Loss, gradient norm, learning rate and validation loss of each report; NaN where there is none.</param>
/// <param name="Outcome">Steps, step of the model's weights, validation loss at the start and at the end.</param>
internal sealed record TextTrainingRun(IReadOnlyList<double[]> Log, double[] Outcome);
