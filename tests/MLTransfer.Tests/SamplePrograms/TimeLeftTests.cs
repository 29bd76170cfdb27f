using Samples;
using Xunit;

namespace MLTransfer.Tests.SamplePrograms;

public class TimeLeftTests
{
    [Theory]
    [InlineData("00:00:00", "0:00")]
    [InlineData("00:04:07", "4:07")]
    [InlineData("00:59:59", "59:59")]
    [InlineData("01:00:00", "1:00:00")]
    [InlineData("1.02:04:07", "26:04:07")]
    public void Hours_are_told_where_there_are_some(string time, string expected) =>
        Assert.Equal(expected, TimeLeft.Format(TimeSpan.Parse(time, System.Globalization.CultureInfo.InvariantCulture)));
}
