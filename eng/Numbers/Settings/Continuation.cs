namespace Numbers.Settings;

internal sealed record Continuation(string Text, int[] Ids, float[] LogProbabilities, string Reason, float? Score);
