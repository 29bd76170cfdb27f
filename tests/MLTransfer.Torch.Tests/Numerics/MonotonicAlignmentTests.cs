using MLTransfer.Torch.Numerics;
using Xunit;

namespace MLTransfer.Torch.Tests.Numerics;

public sealed class MonotonicAlignmentTests
{
    [Fact]
    public void The_path_is_the_best_of_all_paths()
    {
        var random = new Random(7);
        for (var round = 0; round < 300; round++)
        {
            var frames = random.Next(1, 10);
            var (tokens, stride) = (random.Next(1, frames + 1), random.Next(0, 3) + frames);
            var scores = new float[frames * stride];
            for (var i = 0; i < scores.Length; i++)
                scores[i] = random.Next(-50, 50); // whole numbers, so that sums are exact and ties are common
            var path = new int[frames];
            MonotonicAlignment.Find(scores, stride, tokens, path);

            Assert.Equal((0, tokens - 1), (path[0], path[^1]));
            Assert.All(path.Zip(path.Skip(1)), step => Assert.InRange(step.Second - step.First, 0, 1));
            Assert.Equal(
                Best(scores, stride, tokens, frames - 1, tokens - 1), path.Select((token, frame) => scores[frame * stride + token]).Sum());
        }
    }

    [Fact]
    public void Fewer_frames_than_tokens_have_no_path() =>
        Assert.Throws<ArgumentException>(() => MonotonicAlignment.Find(new float[6], 3, 3, new int[2]));

    [Fact]
    public void A_long_table_takes_a_step_a_cell()
    {
        var (frames, tokens) = (20_000, 300); // every path of it would be more than there are atoms
        var scores = new float[frames * tokens];
        var path = new int[frames];
        MonotonicAlignment.Find(scores, tokens, tokens, path);
        Assert.Equal(tokens - 1, path[^1]);
    }

    /// <summary>The greatest sum of the paths that end on a token, by trying all of them.</summary>
    private static float Best(float[] scores, int stride, int tokens, int frame, int token)
    {
        if (frame == 0)
            return token == 0 ? scores[0] : float.NegativeInfinity;
        var before = Best(scores, stride, tokens, frame - 1, token);
        if (token > 0)
            before = Math.Max(before, Best(scores, stride, tokens, frame - 1, token - 1));
        return scores[frame * stride + token] + before;
    }
}
