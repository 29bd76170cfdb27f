using System.Text.Json;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Sounds;
using Xunit;

namespace MLTransfer.Torch.Tests.Sounds;

/// <summary>What the reference stack computed of sounds: <c>tests/data/signal</c>.</summary>
internal static class SignalReference
{
    public static JsonElement Read(string file) =>
        JsonDocument.Parse(File.ReadAllBytes(RepositoryFiles.Data($"signal/{file}"))).RootElement;

    /// <summary>A tensor, row after row.</summary>
    public static T[] Values<T>(string name, string file = "signal")
        where T : unmanaged
    {
        using var checkpoint = SafetensorsFile.Open(RepositoryFiles.Data($"signal/{file}.safetensors"));
        using var values = checkpoint.Read(name);
        return values.data<T>().ToArray();
    }

    /// <summary>The filters that an entry of <c>signal.json</c> describes.</summary>
    public static MelFilters MelFilters(int index)
    {
        var (description, entry) = (Read("signal.json"), Read("signal.json").GetProperty("mel")[index]);
        return new(
            description.GetProperty("sample_rate").GetInt32(),
            entry.GetProperty("n_fft").GetInt32(),
            entry.GetProperty("n_mels").GetInt32())
        {
            LowestFrequency = entry.GetProperty("fmin").GetDouble(),
            HighestFrequency = entry.GetProperty("fmax").ValueKind == JsonValueKind.Null ? null : entry.GetProperty("fmax").GetDouble(),
            Scale = entry.GetProperty("htk").GetBoolean() ? MelScale.Htk : MelScale.Slaney,
            HasEqualArea = entry.GetProperty("norm").ValueKind != JsonValueKind.Null,
        };
    }

    /// <summary>Checks that arrays are equal within a tolerance.</summary>
    public static void AssertNear(float[] expected, float[,] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        var largest = expected.Zip(actual.Cast<float>()).Max(pair => Math.Abs((double)pair.First - pair.Second));
        Assert.True(largest <= tolerance, $"The largest difference is {largest}.");
    }
}
