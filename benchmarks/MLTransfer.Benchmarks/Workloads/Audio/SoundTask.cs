namespace MLTransfer.Benchmarks.Workloads.Audio;

/// <summary>Work that has to do with some seconds of sound, done by the library and as TorchSharp's users write it.</summary>
/// <param name="Name">What the table calls it.</param>
/// <param name="Seconds">Of sound.</param>
/// <param name="Library">Does it by the library.</param>
/// <param name="Plain">Does it by TorchSharp's own modules.</param>
internal sealed record SoundTask(string Name, double Seconds, Action Library, Action Plain);
