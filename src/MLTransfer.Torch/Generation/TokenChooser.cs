using MLTransfer.Torch.Numerics;

namespace MLTransfer.Torch.Generation;

/// <summary>Chooses the next token from processed logits.</summary>
internal sealed class TokenChooser(int vocabularySize)
{
    private readonly float[] _weights = new float[vocabularySize];

    /// <summary>The most probable token, of equal ones that with the lowest id, and ln p.</summary>
    public (int Token, float LogProbability) Largest(ReadOnlySpan<float> logits)
    {
        var maximum = Softmax.Maximum(logits);
        var total = Softmax.Exponentials(logits, maximum, _weights);
        return (logits.IndexOf(maximum), (float)-Math.Log(total));
    }

    /// <summary>A token drawn from the softmax of the logits by inverting its cumulative distribution, and ln p.</summary>
    public (int Token, float LogProbability) Draw(ReadOnlySpan<float> logits, ref SplitMix64 random)
    {
        var maximum = Softmax.Maximum(logits);
        var total = Softmax.Exponentials(logits, maximum, _weights);
        var target = random.NextDouble() * total;
        double sum = 0;
        var chosen = -1;
        for (var token = 0; token < logits.Length; token++)
        {
            if (_weights[token] == 0)
                continue;
            chosen = token; // the last one with a probability, should rounding leave the sum short of the target
            sum += _weights[token];
            if (sum > target)
                break;
        }

        return (chosen, (float)(logits[chosen] - maximum - Math.Log(total)));
    }
}
