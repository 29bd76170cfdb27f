using MLTransfer.Torch.Networks.MusicGen;
using Xunit;

namespace MLTransfer.Torch.Tests.Networks.MusicGen;

/// <summary>The delays of codebooks, against those of the reference stack.</summary>
public class DelayPatternTests
{
    [Fact]
    public void Masks_and_first_columns_equal_the_reference()
    {
        using var music = new TinyMusic(TinyMusic.Mono);
        foreach (var reference in music.Json("delay_pattern.json").AsArray())
        {
            var codebooks = reference!["codebooks"]!.GetValue<int>();
            var pattern = new DelayPattern(
                codebooks, reference["audio_channels"]!.GetValue<int>(), reference["pad_token_id"]!.GetValue<int>());
            var (masks, starts) = (TinyMusic.Rows(reference["mask"]), TinyMusic.Rows(reference["start_ids"]));
            foreach (var (row, columns) in TinyMusic.Rows(reference["input_ids"]).Chunk(codebooks).Index())
            {
                var (mask, start) = pattern.Mask(columns, reference["max_length"]!.GetValue<int>());
                Assert.Equal(masks[(row * codebooks)..((row + 1) * codebooks)], mask);
                Assert.Equal(starts[(row * codebooks)..((row + 1) * codebooks)], start);
            }
        }
    }

    [Theory]
    [InlineData(4, 1)]
    [InlineData(8, 2)]
    public void Labels_are_the_columns_behind_the_first_and_give_the_frames_back(int codebooks, int channels)
    {
        var pattern = new DelayPattern(codebooks, channels, paddingId: 99);
        int[][] codes = [.. Enumerable.Range(0, codebooks).Select(k => Enumerable.Range(0, 5).Select(t => 10 * k + t).ToArray())];
        var labels = pattern.Delay(codes);
        Assert.All(labels, row => Assert.Equal(5 + pattern.Depth - 1, row.Length));
        Assert.Equal(codes, pattern.Frames([.. labels.Select(row => (int[])[99, .. row])]));
        var (mask, _) = pattern.Mask([.. codes.Select(row => (int[])[99, .. row])], 5 + pattern.Depth);
        Assert.Equal(mask, labels.Select(row => (int[])[99, .. row]));
    }
}
