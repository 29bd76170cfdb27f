namespace MLTransfer.Torch.Training;

/// <summary>One forward and backward pass of a step.</summary>
/// <param name="Index">Its number in the step, from 0; another one in each process that goes through rows of the step.</param>
/// <param name="Rows">The numbers of its rows.</param>
/// <param name="Normalizers">What losses are divided by: counts over all rows of the step, so that it does not matter how they are cut into
/// passes.</param>
internal sealed record TrainingPass(int Index, int[] Rows, IReadOnlyList<double> Normalizers);
