using System.Diagnostics;
using MLTransfer.Torch.Sounds;
using Xunit;

namespace MLTransfer.Torch.Tests.Sounds;

/// <summary>Damaged files end in a sound or in <see cref="InvalidDataException"/>, soon and in little memory.</summary>
public class WaveformMutationTests
{
    [Theory]
    [InlineData("signal/wav/pcm16_mono.wav", 150)]
    [InlineData("signal/wav/chunks_before_data.wav", 150)]
    [InlineData("signal/wav/extensible_float32_stereo.wav", 150)]
    [InlineData("sounds/mono.mp3", 60)]
    [InlineData("sounds/stereo.mp3", 60)]
    [InlineData("sounds/mono.ogg", 60)]
    [InlineData("sounds/stereo.ogg", 60)]
    public void Damaged_files_are_refused_by_name_or_read(string file, int rounds)
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "damaged");
        var content = File.ReadAllBytes(RepositoryFiles.Data(file));
        var mutation = new Mutation(seed: 5);
        var random = new Random(5);
        for (var round = 0; round < Mutation.Rounds(rounds); round++)
        {
            var damaged = round % 3 == 0 ? mutation.Apply(content) : (byte[])content.Clone();
            // headers are what decoders trust: every other round damages the first bytes
            for (var count = round % 3 == 0 ? 0 : random.Next(1, 6); count > 0; count--)
                damaged[random.Next(round % 3 == 1 ? Math.Min(64, damaged.Length) : damaged.Length)] = (byte)random.Next(256);
            File.WriteAllBytes(path, damaged);
            var (allocated, watch) = (GC.GetAllocatedBytesForCurrentThread(), Stopwatch.StartNew());
            try
            {
                WaveformFile.Read(path, TimeSpan.FromMinutes(1));
            }
            catch (InvalidDataException e)
            {
                Assert.Contains("damaged", e.Message, StringComparison.Ordinal);
            }

            Assert.True(GC.GetAllocatedBytesForCurrentThread() - allocated < 256 << 20, $"round {round}: memory");
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10), $"round {round}: {watch.Elapsed}");
        }
    }
}
