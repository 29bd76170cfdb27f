namespace MLTransfer.Benchmarks.Workloads.Images;

/// <summary>Work on pictures of captions, done by the library and as TorchSharp's users write it.</summary>
/// <param name="Name">What the table calls it.</param>
/// <param name="Pictures">That are trained on or drawn by one call.</param>
/// <param name="Library">Does it by the library.</param>
/// <param name="Plain">Does it by TorchSharp's own modules.</param>
internal sealed record PictureTask(string Name, int Pictures, Action Library, Action Plain);
